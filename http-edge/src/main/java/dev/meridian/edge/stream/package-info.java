/**
 * Streams between replicas and clients: the mux that talks to replicas, each stream's journal, and the source that a
 * client reads at its own pace. Only the edge uses it; it knows neither HTTP nor JSON.
 */
@NullMarked
package dev.meridian.edge.stream;

import org.jspecify.annotations.NullMarked;
