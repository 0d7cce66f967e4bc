/// What the APIs share about one exchange of request and answer: reading a bounded body, strict JSON, problems, the
/// choice of
/// a media type, and noticing that a client has gone.
@NullMarked
package dev.bobbin.scheduler.http.exchange;

import org.jspecify.annotations.NullMarked;
