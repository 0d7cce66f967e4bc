/// The command line. [dev.bobbin.ops.cli.BobbinCommand] holds the commands; all but `serve` are clients of the native
/// API on a Unix socket, of a live server or of one started within the command. What a client needs is small and our
/// own ([dev.bobbin.ops.cli.HttpConnection], [dev.bobbin.ops.cli.Json]), since its start is what a person waits
/// for.
@NullMarked
package dev.bobbin.ops.cli;

import org.jspecify.annotations.NullMarked;
