/** {@code bench http}: what the HTTP edge and the actors add to an engine whose steps have a fixed length. */
@NullMarked
package dev.meridian.bench.http;

import org.jspecify.annotations.NullMarked;
