package dev.meridian.placement.policy;

import java.time.Duration;
import java.time.LocalTime;
import java.util.List;

/**
 * What a policy goes by for one model; see {@code meridian.placement.defaults} in reference.conf.
 *
 * @param minReplicas in each region that may hold it, without any demand and as far as there is room; 0 to 99
 * @param maxReplicas in each region, however high the demand; at least 1 and {@code minReplicas}
 * @param streamsPerReplica as many running streams as one replica serves well
 * @param keepWarm whether its {@code minReplicas} are never taken away to make room
 * @param idleUnload what {@code minReplicas} does not keep goes once nobody has asked for so long
 * @param preWarmAt times of day, UTC, at which it is loaded as if it were asked for
 */
public record ModelRules(
        int minReplicas,
        int maxReplicas,
        int streamsPerReplica,
        boolean keepWarm,
        Duration idleUnload,
        List<LocalTime> preWarmAt) {
    public static final int MOST_REPLICAS = 99;

    public ModelRules {
        preWarmAt = List.copyOf(preWarmAt);
        if (minReplicas < 0 || minReplicas > MOST_REPLICAS) {
            throw new IllegalArgumentException("min-replicas " + minReplicas + ": expected 0 to " + MOST_REPLICAS);
        }
        if (maxReplicas < Math.max(1, minReplicas) || maxReplicas > MOST_REPLICAS) {
            throw new IllegalArgumentException("max-replicas " + maxReplicas
                    + ": expected at least 1 and min-replicas, " + minReplicas + ", and at most " + MOST_REPLICAS);
        }
        if (streamsPerReplica < 1) {
            throw new IllegalArgumentException("streams-per-replica " + streamsPerReplica + ": expected at least 1");
        }
        if (!idleUnload.isPositive()) {
            throw new IllegalArgumentException("idle-unload: expected above 0");
        }
        if (keepWarm && minReplicas == 0) {
            throw new IllegalArgumentException(
                    "keep-warm without min-replicas of at least 1: there is nothing to keep");
        }
    }

    /** Whether it was to be loaded at some time within the last {@code idleUnload}. */
    boolean isPreWarmed(long nowMillis) {
        long day = Duration.ofDays(1).toMillis();
        long timeOfDay = Math.floorMod(nowMillis, day);
        return !preWarmAt.isEmpty()
                && preWarmAt.stream()
                        .anyMatch(at ->
                                Math.floorMod(timeOfDay - at.toNanoOfDay() / 1_000_000, day) < idleUnload.toMillis());
    }
}
