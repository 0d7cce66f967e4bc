/// What is mounted in sandboxes besides their image: volumes, which have a name and an owner and outlive whoever uses
/// them, and what of this machine the configuration lets in. [dev.bobbin.runner.volume.VolumeStore] keeps the former,
/// [dev.bobbin.runner.volume.Mountings] decides what a request gets.
@NullMarked
package dev.bobbin.runner.volume;

import org.jspecify.annotations.NullMarked;
