/// Sandboxes of this host: the nursery that makes them, those that are parked, and the one order each gets.
@NullMarked
package dev.bobbin.runner.sandbox;

import org.jspecify.annotations.NullMarked;
