/// Tests of the checks before a start.
@NullMarked
package dev.bobbin.ops.preflight;

import org.jspecify.annotations.NullMarked;
