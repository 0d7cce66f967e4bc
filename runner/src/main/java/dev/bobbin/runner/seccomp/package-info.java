/// Which system calls a job may make: profiles in the format of OCI and Docker, and the programs for the kernel that
/// they
/// come to.
@NullMarked
package dev.bobbin.runner.seccomp;

import org.jspecify.annotations.NullMarked;
