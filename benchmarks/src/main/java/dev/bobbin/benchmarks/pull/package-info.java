/// The comparison of what brings an image from a registry until a program could be started in it, run by
/// `benchmarks/pull`: all bring the same image from the same registry on loopback, in turns within the same minutes.
@NullMarked
package dev.bobbin.benchmarks.pull;

import org.jspecify.annotations.NullMarked;
