/// The vocabulary of jobs: what is asked for ([dev.bobbin.runner.Job]), that request happening
/// ([dev.bobbin.runner.Execution]), what it emits ([dev.bobbin.runner.Output]) and how it ended
/// ([dev.bobbin.runner.Outcome]). Values and the interfaces they speak through; no I/O, no framework.
@NullMarked
package dev.bobbin.runner;

import org.jspecify.annotations.NullMarked;
