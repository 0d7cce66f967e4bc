/// The API of minibox: containers, images and what is left over, for clients that know no other. Errors are lines of
/// text. A container is a sandbox that lasts, known by its alias of eight hexadecimal digits.
@NullMarked
package dev.bobbin.scheduler.http.minibox;

import org.jspecify.annotations.NullMarked;
