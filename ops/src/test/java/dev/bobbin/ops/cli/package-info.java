/// Tests of the command line.
@NullMarked
package dev.bobbin.ops.cli;

import org.jspecify.annotations.NullMarked;
