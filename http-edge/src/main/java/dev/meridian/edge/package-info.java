/**
 * The HTTP edge: takes OpenAI-shaped requests, routes them to replicas and streams their tokens back. {@code node}
 * starts it; it knows replicas only by the message protocol, never the engine, placement or the cluster.
 */
@NullMarked
package dev.meridian.edge;

import org.jspecify.annotations.NullMarked;
