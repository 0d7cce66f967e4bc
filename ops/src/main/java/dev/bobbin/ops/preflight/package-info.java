/// What this machine must offer before a server can start, and whether its sandboxes isolate, as seen from within them:
/// each with a sentence on what to do about it.
@NullMarked
package dev.bobbin.ops.preflight;

import org.jspecify.annotations.NullMarked;
