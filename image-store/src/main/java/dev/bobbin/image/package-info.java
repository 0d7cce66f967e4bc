/// The vocabulary of images: references, configuration, and what a resolved image is. Values only, no I/O.
@NullMarked
package dev.bobbin.image;

import org.jspecify.annotations.NullMarked;
