/// The store on disk. [dev.bobbin.image.store.ImageStore] is the door of the module: it finds, pulls, loads, saves and
/// removes images, and leases their root file systems.
///
/// `Disk` knows where things lie and how they come and go; `Blobs` content as it was sent, `Layers` what was unpacked
/// of it, `Index` the names. `Assembly` makes an image ready out of what is there and what must be fetched; `Flights`
/// lets many who want the same thing wait for one that brings it; `Garbage` takes away what nobody needs.
@NullMarked
package dev.bobbin.image.store;

import org.jspecify.annotations.NullMarked;
