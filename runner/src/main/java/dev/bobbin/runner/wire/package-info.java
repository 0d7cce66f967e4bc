/// How the JVM, the nursery and PID 1 speak, and what a journal's records look like: the Java side of `frame.h`, which
/// is the contract.
@NullMarked
package dev.bobbin.runner.wire;

import org.jspecify.annotations.NullMarked;
