/// The front: listeners, the rules every request passes (host, origin, credentials), and the APIs in a fixed order.
/// [dev.bobbin.scheduler.http.HttpServer] serves them.
@NullMarked
package dev.bobbin.scheduler.http;

import org.jspecify.annotations.NullMarked;
