/// Images as files: unpacking layers into directories that overlayfs mounts, and reading and writing whole images as
/// archives. Names of files are bytes, carried in strings of one character a byte (ISO 8859-1), since layers come from
/// strangers and need not hold text.
@NullMarked
package dev.bobbin.image.archive;

import org.jspecify.annotations.NullMarked;
