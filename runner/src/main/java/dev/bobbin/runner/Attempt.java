package dev.bobbin.runner;

/// The answer to "start this job".
public sealed interface Attempt {

    record Accepted(Execution execution) implements Attempt {}

    record Refused(Refusal refusal) implements Attempt {}
}
