/// Images made from recipes. The vocabulary is a [dev.bobbin.runner.build.BuildPlan]: blocks that need one another,
/// each of which becomes at most one layer. A [dev.bobbin.runner.build.RecipeLanguage] compiles a file to a plan; what
/// carries a plan out knows no language.
@NullMarked
package dev.bobbin.runner.build;

import org.jspecify.annotations.NullMarked;
