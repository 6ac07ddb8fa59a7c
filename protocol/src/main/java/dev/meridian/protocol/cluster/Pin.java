package dev.meridian.protocol.cluster;

import org.jspecify.annotations.Nullable;

/**
 * Which node holds a replica.
 *
 * @param generation of the table in which the pin last changed: who acts on an older one acts on old news
 * @param next the node that loads the replica to take it over; null but during a move
 */
public record Pin(
        ReplicaId replica,
        String node,
        long generation,
        @Nullable String next) {}
