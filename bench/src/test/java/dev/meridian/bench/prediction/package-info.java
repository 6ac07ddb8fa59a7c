/** Tests of what bench.http computes; the processes that it starts are tested in module node. */
@NullMarked
package dev.meridian.bench.prediction;

import org.jspecify.annotations.NullMarked;
