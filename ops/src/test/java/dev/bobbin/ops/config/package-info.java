/// Tests of the settings.
@NullMarked
package dev.bobbin.ops.config;

import org.jspecify.annotations.NullMarked;
