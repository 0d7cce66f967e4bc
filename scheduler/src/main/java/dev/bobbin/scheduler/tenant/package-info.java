/// Who asks. A request's credentials become a [dev.bobbin.scheduler.tenant.Caller] once, at the door, and every look-up
/// after that takes it along. Secrets are kept as digests only.
@NullMarked
package dev.bobbin.scheduler.tenant;

import org.jspecify.annotations.NullMarked;
