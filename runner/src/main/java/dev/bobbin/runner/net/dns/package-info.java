/// The name server of a bridge: it names the sandboxes of one project to each other, asks the machine's own name
/// servers for everything else, and lets a sandbox reach what it may only reach by name.
@NullMarked
package dev.bobbin.runner.net.dns;

import org.jspecify.annotations.NullMarked;
