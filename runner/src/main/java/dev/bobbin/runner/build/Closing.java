package dev.bobbin.runner.build;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Lets go of several things, each whatever became of the others.
final class Closing {
    private Closing() {}

    /// What lets go of one of them.
    interface Release<T> {
        void of(T each) throws Exception;
    }

    /// Throws the first problem at the end, with the others in it.
    static <T> void all(List<T> all, Release<T> release) throws IOException {
        var problems = new ArrayList<Exception>();
        for (var each : all) {
            try {
                release.of(each);
            } catch (Exception e) {
                problems.add(e);
            }
        }
        if (problems.isEmpty()) {
            return;
        }
        var first = problems.removeFirst();
        problems.forEach(first::addSuppressed);
        switch (first) {
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            default -> throw new IOException(first);
        }
    }
}
