/** Tests of the measurements: over runners without weights, so that engines fail, stall and end as a test wants. */
@NullMarked
package dev.meridian.bench;

import org.jspecify.annotations.NullMarked;
