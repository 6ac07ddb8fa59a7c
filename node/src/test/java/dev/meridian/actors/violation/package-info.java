/** Breaks rules of the architecture on purpose, to prove that they bite. */
@NullMarked
package dev.meridian.actors.violation;

import org.jspecify.annotations.NullMarked;
