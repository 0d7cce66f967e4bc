/// Where a job should run: a pure ranking of hosts over an immutable view of them. No I/O, no clock, no metrics.
@NullMarked
package dev.bobbin.scheduler.placement;

import org.jspecify.annotations.NullMarked;
