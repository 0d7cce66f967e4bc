/// Control groups: where they are on this machine (v1, v2 or both at once), what is written into a job's to limit it,
/// and what is read from it as evidence. Directories and texts only; processes are placed by the init.
@NullMarked
package dev.bobbin.runner.cgroup;

import org.jspecify.annotations.NullMarked;
