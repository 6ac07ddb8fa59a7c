/** Tests of what bench.soak computes; the processes that it starts are tested in module node. */
@NullMarked
package dev.meridian.bench.soak;

import org.jspecify.annotations.NullMarked;
