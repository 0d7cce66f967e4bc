/// The way of a job from a caller to a host: admitted, placed, started, and counted once when it ends.
/// [dev.bobbin.scheduler.dispatch.Dispatcher] is the door of the module.
@NullMarked
package dev.bobbin.scheduler.dispatch;

import org.jspecify.annotations.NullMarked;
