/// The Dockerfile language: [dev.bobbin.runner.build.dockerfile.Dockerfile] reads one and makes the build of a target
/// from it. Text becomes statements, statements instructions, instructions steps. What is not supported is refused by
/// name and line, never passed over.
@NullMarked
package dev.bobbin.runner.build.dockerfile;

import org.jspecify.annotations.NullMarked;
