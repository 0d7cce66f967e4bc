/// What this machine must offer before a server can start, each requirement with a sentence on what to do about it.
@NullMarked
package dev.bobbin.ops.preflight;

import org.jspecify.annotations.NullMarked;
