/** Breaks rules of the architecture on purpose, to prove that they bite. */
@NullMarked
package dev.meridian.engine.violation;

import org.jspecify.annotations.NullMarked;
