/// The store on disk. [dev.bobbin.image.store.ImageStore] is the door of the module: it finds images and leases their
/// root file systems.
@NullMarked
package dev.bobbin.image.store;

import org.jspecify.annotations.NullMarked;
