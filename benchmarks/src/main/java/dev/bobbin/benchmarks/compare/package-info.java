/// The comparison with other ways to start an isolated process, run by `benchmarks/compare`: every contender runs the
/// same static `true`, in turns within the same minutes, so that all share the machine's moods.
@NullMarked
package dev.bobbin.benchmarks.compare;

import org.jspecify.annotations.NullMarked;
