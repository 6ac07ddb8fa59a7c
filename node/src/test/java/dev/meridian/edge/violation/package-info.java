/** Breaks rules of the architecture on purpose, to prove that they bite. */
@NullMarked
package dev.meridian.edge.violation;

import org.jspecify.annotations.NullMarked;
