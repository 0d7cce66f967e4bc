/// Patterns over the paths of a build's context: one ([dev.bobbin.runner.build.pattern.PathPattern]), and the ordered
/// rules of an ignore file ([dev.bobbin.runner.build.pattern.IgnoreRules]).
@NullMarked
package dev.bobbin.runner.build.pattern;

import org.jspecify.annotations.NullMarked;
