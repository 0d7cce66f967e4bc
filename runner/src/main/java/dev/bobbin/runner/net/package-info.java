/// Networks of sandboxes: addresses, links, rules and published ports of those with a bridge. What is in force lies in
/// the kernel and in the sandboxes' own records, so that it goes on without a server and is found again by the next.
@NullMarked
package dev.bobbin.runner.net;

import org.jspecify.annotations.NullMarked;
