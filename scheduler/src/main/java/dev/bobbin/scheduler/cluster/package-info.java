/// What this host knows of all hosts. With one host that is the host itself.
@NullMarked
package dev.bobbin.scheduler.cluster;

import org.jspecify.annotations.NullMarked;
