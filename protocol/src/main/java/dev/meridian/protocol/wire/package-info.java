/**
 * How the messages of {@code protocol.message} and {@code protocol.cluster} become bytes and come back. Pekko finds the
 * serializer by configuration, and nobody else calls it. Bytes from outside are hostile until they are read: every
 * length has a cap, nothing is allocated for a length that the bytes do not hold, and what is refused is named without
 * its content.
 */
@NullMarked
package dev.meridian.protocol.wire;

import org.jspecify.annotations.NullMarked;
