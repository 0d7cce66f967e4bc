/// Tests of the program as a whole, and of the walls between its parts.
@NullMarked
package dev.bobbin.ops;

import org.jspecify.annotations.NullMarked;
