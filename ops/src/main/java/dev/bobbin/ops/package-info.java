/// The program. [dev.bobbin.ops.Bobbin] is the only place that knows all parts and puts them together; configuration,
/// metrics, health, the checks before a start and the command line have packages of their own below.
@NullMarked
package dev.bobbin.ops;

import org.jspecify.annotations.NullMarked;
