/// Whether this server lives, and whether it takes work: `/health/live` and `/health/ready`.
@NullMarked
package dev.bobbin.ops.health;

import org.jspecify.annotations.NullMarked;
