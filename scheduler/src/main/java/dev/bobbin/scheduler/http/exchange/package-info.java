/// What the APIs share about one exchange of request and answer: reading a bounded body, strict JSON, problems, the
/// choice of a media type, noticing that a client has gone, and taking the connection over.
@NullMarked
package dev.bobbin.scheduler.http.exchange;

import org.jspecify.annotations.NullMarked;
