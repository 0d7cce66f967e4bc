package dev.bobbin.runner.host;

import dev.bobbin.image.TarFile;
import dev.bobbin.image.store.TarFiles;
import dev.bobbin.runner.InputFile;
import dev.bobbin.runner.Refusal;
import dev.bobbin.runner.build.BuildContext;
import dev.bobbin.runner.build.Builder;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// The answer to one who wants to send what is to be built of, before anything of it is read.
public sealed interface BuildUpload {

    /// Not now.
    record Refused(Refusal refusal) implements BuildUpload {}

    /// One set of files may be sent. Their place is the context's once they are here, and until then this one's.
    final class Open implements BuildUpload, AutoCloseable {
        private final Builder builder;
        private final BuildUploads uploads;
        private final String tenant;
        private final long reserved;
        private long bytes;
        private long memory;
        private boolean given;

        /// @param reserved bytes that are counted already
        Open(Builder builder, BuildUploads uploads, String tenant, long reserved) {
            this.reserved = reserved;
            this.builder = builder;
            this.uploads = uploads;
            this.tenant = tenant;
        }

        /// Reads a tar archive, plain or compressed, to its end.
        ///
        /// @throws dev.bobbin.runner.build.BuildException if it holds what cannot be, or is larger than may be
        public BuildContext receive(InputStream tar) throws IOException {
            return receive(sink -> TarFiles.read(tar, sink));
        }

        /// Reads a directory of this machine.
        ///
        /// @throws dev.bobbin.runner.build.BuildException if it is larger than may be
        public BuildContext receive(SharedDirectory directory) throws IOException {
            return receive(directory::giveTo);
        }

        /// Takes files that a request spelled out.
        public BuildContext receive(List<InputFile> files) throws IOException {
            return receive(sink -> {
                for (var file : files) {
                    // names of archives are bytes
                    var name = new String(file.path().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
                    var size = file.data().length;
                    sink.file(
                            new TarFile(name, "", TarFile.Kind.FILE, file.mode(), 0, 0, 0, size, null),
                            new ByteArrayInputStream(file.data()));
                }
            });
        }

        private BuildContext receive(BuildContext.Origin origin) throws IOException {
            var context = builder.receive(
                    sink -> origin.giveTo((file, content) -> sink.file(file, new Counted(content))), this::keep);
            given = true;
            return context.releasing(this::end);
        }

        @Override
        public void close() {
            if (!given) {
                given = true;
                end();
            }
        }

        private void keep(long more) {
            uploads.keeps(memory, more);
            memory += more;
        }

        private void end() {
            uploads.end(tenant, Math.max(reserved, bytes), memory);
        }

        /// Counts what is read.
        private final class Counted extends FilterInputStream {
            Counted(InputStream content) {
                super(content);
            }

            @Override
            public int read() throws IOException {
                var octet = super.read();
                count(octet < 0 ? 0 : 1);
                return octet;
            }

            @Override
            public int read(byte[] buffer, int from, int length) throws IOException {
                var read = super.read(buffer, from, length);
                count(Math.max(0, read));
                return read;
            }

            private void count(int more) {
                uploads.took(tenant, more, Math.clamp(bytes + more - reserved, 0, more));
                bytes += more;
            }
        }
    }
}
