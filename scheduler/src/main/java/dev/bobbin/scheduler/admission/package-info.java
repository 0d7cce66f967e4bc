/// The gate. Bounds how many jobs are under way and what they may use together, and how long, and in how long a line,
/// others wait.
@NullMarked
package dev.bobbin.scheduler.admission;

import org.jspecify.annotations.NullMarked;
