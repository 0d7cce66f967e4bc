/// The door to the languages of recipes: [dev.bobbin.runner.build.recipe.RecipeLanguages] says which one a file is
/// written in.
@NullMarked
package dev.bobbin.runner.build.recipe;

import org.jspecify.annotations.NullMarked;
