/// This machine as a place where jobs run. [dev.bobbin.runner.host.HostRuntime] is the door of the module: it leases
/// an image, takes a parked sandbox, gives the order, and knows every job whose journal is still kept.
@NullMarked
package dev.bobbin.runner.host;

import org.jspecify.annotations.NullMarked;
