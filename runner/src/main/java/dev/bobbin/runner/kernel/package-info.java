/// What of this machine Java has no words for, through native calls. The only package of the runner that makes any.
@NullMarked
package dev.bobbin.runner.kernel;

import org.jspecify.annotations.NullMarked;
