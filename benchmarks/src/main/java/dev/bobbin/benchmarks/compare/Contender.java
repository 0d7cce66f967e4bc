package dev.bobbin.benchmarks.compare;

import java.util.List;

/// One way to run `true`.
///
/// @param command what the meter is started with, after the number of clients, of runs and the time
/// @param input what the meter reads: the request, of a server
/// @param each how many runs one after the other in a round
/// @param parallel whether it is also asked by many clients at once
record Contender(String name, String kind, List<String> command, String input, int each, boolean parallel) {
    Contender {
        command = List.copyOf(command);
    }

    /// A program started by `posix_spawn`.
    static Contender spawned(String name, int each, List<String> command) {
        return new Contender(name, "spawn", command, "", each, true);
    }

    /// A Bobbin that listens on `port`, asked over one kept-alive connection a client.
    static Contender served(String name, int port, String program, boolean parallel) {
        var body = "{\"command\":[\"" + program + "\"]}";
        return new Contender(name, "http", List.of(Integer.toString(port), "/v1/run"), body, 100, parallel);
    }

    /// The same Bobbin, asked to run `program` in a sandbox that runs already.
    static Contender entered(String name, int port, String sandbox, String program) {
        var request = "{\"sandbox\":\"" + sandbox + "\",\"command\":[\"" + program + "\"]}";
        return new Contender(name, "http", List.of(Integer.toString(port), "/v1/exec"), request, 100, true);
    }

    /// One request of the native API, whose answer is a job; `{number}` in it is another one each time.
    static Contender posted(String name, int port, String path, String request, int each) {
        return new Contender(name, "http", List.of(Integer.toString(port), path), request, each, false);
    }

    /// One request whose answer is lines, of which one says so if it fails.
    static Contender told(String name, int port, String path, String request, int each) {
        return new Contender(name, "text", List.of(Integer.toString(port), path), request, each, false);
    }
}
