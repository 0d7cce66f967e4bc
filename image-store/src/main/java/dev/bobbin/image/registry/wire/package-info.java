/// HTTP/1.1 over addresses that were checked: a name is resolved once, every answer is judged, and the connection goes
/// to exactly the address that was judged. Small on purpose: no redirects, no cookies, no proxies, no compression, no
/// credentials; what a request carries is decided by its sender. Everything a peer sends is bounded in size and time.
///
/// `Wire` is the client; a `Request` goes in, a `Response` comes out.
@NullMarked
package dev.bobbin.image.registry.wire;

import org.jspecify.annotations.NullMarked;
