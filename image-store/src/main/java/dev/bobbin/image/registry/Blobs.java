package dev.bobbin.image.registry;

import dev.bobbin.image.Descriptor;
import dev.bobbin.image.ImageException;
import dev.bobbin.image.ImageProblem;
import dev.bobbin.image.MediaTypes;
import dev.bobbin.image.registry.wire.Request;
import dev.bobbin.image.registry.wire.Response;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;

/// Finds a blob, or the rest of one, at the first of some repositories that has it.
final class Blobs implements BlobStream.Opener {
    private final List<Repository> repositories;
    private final Descriptor descriptor;
    private final Retry retry;

    Blobs(List<Repository> repositories, Descriptor descriptor, Retry retry) {
        this.repositories = List.copyOf(repositories);
        this.descriptor = descriptor;
        this.retry = retry;
    }

    @Override
    public BlobStream.Opened open(long from) {
        ImageException failure = null;
        for (var repository : repositories) {
            try {
                repository.upstream().requireThere();
                return open(repository, from);
            } catch (ImageException e) {
                if (failure != null) {
                    e.addSuppressed(failure);
                }
                failure = e;
            }
        }
        throw failure == null ? new IllegalStateException("a blob is looked for somewhere") : failure;
    }

    @Override
    public RuntimeException failed(IOException e) {
        return repositories.getLast().upstream().gone(e);
    }

    private BlobStream.Opened open(Repository repository, long from) {
        var places = repository.upstream().permits();
        try {
            places.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException(
                    "interrupted while waiting to ask " + repository.upstream().name());
        }
        var taken = true;
        try {
            var request = repository.request("GET", "blobs/" + descriptor.digest(), asked -> from(asked, from));
            var response = repository.call(request, "pull", retry, answer -> accept(repository, answer, from));
            taken = false;
            return new BlobStream.Opened(response, places::release);
        } finally {
            if (taken) {
                places.release();
            }
        }
    }

    private static Request from(Request request, long from) {
        return from == 0 ? request : request.with("Range", "bytes=" + from + "-");
    }

    private Response accept(Repository repository, Response response, long from) throws IOException {
        if (response.status() == 404 && MediaTypes.isForeignLayer(descriptor.mediaType())) {
            return elsewhere(repository, response, from);
        }
        return checked(repository, response, from);
    }

    /// A layer that registries do not hand out: from the places that its descriptor names.
    private Response elsewhere(Repository repository, Response missed, long from) throws IOException {
        IOException failure = null;
        for (var url : descriptor.urls()) {
            try {
                var found = repository.upstream().fetch(missed, url, request -> from(request, from), retry.left());
                if (found.status() == 200 || found.status() == 206) {
                    missed.close();
                    return checked(repository, found, from);
                }
                found.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            missed.close();
            throw failure;
        }
        throw repository.refused(missed, "asked for blob " + descriptor.digest());
    }

    /// An answer whose body begins at `from` and is as long as it should be.
    private Response checked(Repository repository, Response response, long from) throws IOException {
        if (response.status() != 200 && response.status() != 206) {
            throw repository.refused(response, "asked for blob " + descriptor.digest());
        }
        try {
            Repository.requirePlain(response);
            var whole = response.status() == 200;
            if (!whole) {
                requireRange(response, from);
            }
            var expected = whole ? descriptor.size() : descriptor.size() - from;
            if (response.length() >= 0 && response.length() != expected) {
                throw ImageException.wrongSize(
                        descriptor.digest(),
                        descriptor.size(),
                        Long.toString(descriptor.size() - expected + response.length()));
            }
            if (whole) {
                response.body().skipNBytes(from); // a server that does not know ranges begins anew
            }
            return response;
        } catch (IOException | RuntimeException e) {
            response.close();
            throw e;
        }
    }

    private void requireRange(Response response, long from) {
        var range = response.headers().first("Content-Range").orElse("");
        var expected = "bytes " + from + "-" + (descriptor.size() - 1) + "/";
        if (from == 0 || !(range.equals(expected + descriptor.size()) || range.equals(expected + "*"))) {
            throw new ImageException(
                    ImageProblem.INVALID,
                    response.origin() + " sends another part of " + descriptor.digest() + " than was asked for");
        }
    }
}
