/// The API of agentkernel, for its unmodified clients: one-shot runs and health.
@NullMarked
package dev.bobbin.scheduler.http.agentkernel;

import org.jspecify.annotations.NullMarked;
