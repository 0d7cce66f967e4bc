@NullMarked
package dev.bobbin.runner.net;

import org.jspecify.annotations.NullMarked;
