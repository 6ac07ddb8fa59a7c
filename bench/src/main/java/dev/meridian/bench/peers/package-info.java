/** Meridian beside other engines on the same shape, in one run. */
@NullMarked
package dev.meridian.bench.peers;

import org.jspecify.annotations.NullMarked;
