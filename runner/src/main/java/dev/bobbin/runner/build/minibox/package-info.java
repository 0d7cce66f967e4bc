/// The MiniBox language, in its block form and its older linear one:
/// [dev.bobbin.runner.build.minibox.MiniBoxLanguage] compiles both, [dev.bobbin.runner.build.minibox.StreamLines] tells
/// of a build in the lines that its clients know. Messages and meaning are those of the original, but for what was
/// wrong with it.
@NullMarked
package dev.bobbin.runner.build.minibox;

import org.jspecify.annotations.NullMarked;
