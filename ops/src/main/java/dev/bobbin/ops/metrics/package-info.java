/// What Prometheus reads: the registry that every part counts in, and `/metrics`.
@NullMarked
package dev.bobbin.ops.metrics;

import org.jspecify.annotations.NullMarked;
