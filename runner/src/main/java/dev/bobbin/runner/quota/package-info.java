/// Sizes of directories on disk that hold for programs: which project of the file system's quotas each has, and who on
/// this machine has which project.
@NullMarked
package dev.bobbin.runner.quota;

import org.jspecify.annotations.NullMarked;
