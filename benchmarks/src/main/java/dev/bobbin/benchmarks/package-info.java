/// How fast Bobbin is: the start path under JMH, and comparisons with its peers.
@NullMarked
package dev.bobbin.benchmarks;

import org.jspecify.annotations.NullMarked;
