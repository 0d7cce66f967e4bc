@NullMarked
package dev.bobbin.runner.net.dns;

import org.jspecify.annotations.NullMarked;
