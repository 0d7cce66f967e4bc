/// The native API under `/v1`: requests as jobs, and a job's output as JSON, as plain bytes or as frames.
@NullMarked
package dev.bobbin.scheduler.http.v1;

import org.jspecify.annotations.NullMarked;
