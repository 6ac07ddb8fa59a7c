/** {@code bench soak}: hours of a node under the load of a trace, and whether it grows. */
@NullMarked
package dev.meridian.bench.soak;

import org.jspecify.annotations.NullMarked;
