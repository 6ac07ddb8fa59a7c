/** Tests of what bench.load computes; the processes that it starts are tested in module node. */
@NullMarked
package dev.meridian.bench.load;

import org.jspecify.annotations.NullMarked;
