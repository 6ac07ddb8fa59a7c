/**
 * The messages between an edge and the replicas that feed its streams. Sent by http-edge and model-actors; the engine
 * never sees them, because they carry actor references.
 */
@NullMarked
package dev.meridian.protocol.message;

import org.jspecify.annotations.NullMarked;
