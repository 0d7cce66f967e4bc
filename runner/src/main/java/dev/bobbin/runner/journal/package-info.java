/// The append-only record of what a job printed, written by PID 1 and read by everybody else, each from a position of
/// its own. [dev.bobbin.runner.journal.Journal] is one job's; `frame.h` says what a record looks like.
@NullMarked
package dev.bobbin.runner.journal;

import org.jspecify.annotations.NullMarked;
