/** Tests of what bench.peers computes and of how it talks to its processes; engines are not measured. */
@NullMarked
package dev.meridian.bench.peers;

import org.jspecify.annotations.NullMarked;
