package dev.meridian.engine;

/**
 * How an engine divides itself among those who wait.
 *
 * @param stepStretch with prefill beside it, a step takes at most about this many times what its decode part takes; above 1
 * @param queueReserve places of the queue that each class of requests always has for itself
 * @param weights shares of the classes
 */
public record Fairness(double stepStretch, int queueReserve, PriorityWeights weights) {
    /** With it full chunks always run. */
    public static final double MOST_STRETCH = 1e6;

    public Fairness {
        if (!(stepStretch > 1 && stepStretch <= MOST_STRETCH)) {
            throw new IllegalArgumentException(
                    "meridian.engine.step-stretch " + stepStretch + ": expected above 1 and at most 1e6");
        }
        if (queueReserve < 0) {
            throw new IllegalArgumentException("meridian.engine.queue-reserve " + queueReserve + " is negative");
        }
    }

    /** As reference.conf says, but without a reserve: for an engine that one caller has for itself. */
    public static Fairness unreserved() {
        return new Fairness(2, 0, new PriorityWeights(16, 4, 1));
    }

    /** Full chunks always: for measurements, and for a runner whose prefill takes no time. */
    public static Fairness unpaced() {
        return new Fairness(MOST_STRETCH, 0, unreserved().weights());
    }
}
