/// Terminals over connections that have left HTTP: WebSockets (RFC 6455), the raw stream of bytes that several APIs
/// have, and what a viewer types. What a terminal shows is read from the job's journal, as everything is.
@NullMarked
package dev.bobbin.scheduler.http.terminal;

import org.jspecify.annotations.NullMarked;
