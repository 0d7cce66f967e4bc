/// The gate. Bounds how many jobs are under way and how long, and in how long a line, others wait for a place.
@NullMarked
package dev.bobbin.scheduler.admission;

import org.jspecify.annotations.NullMarked;
