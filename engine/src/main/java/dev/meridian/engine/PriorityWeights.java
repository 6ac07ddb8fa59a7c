package dev.meridian.engine;

import dev.meridian.protocol.Priority;

/** How many tokens a class of requests is served for each token of another, while requests of both wait. Whole numbers from 1. */
public record PriorityWeights(int priority, int standard, int flex) {
    private static final int MOST = 1000;

    public PriorityWeights {
        if (Math.min(priority, Math.min(standard, flex)) < 1 || Math.max(priority, Math.max(standard, flex)) > MOST) {
            throw new IllegalArgumentException("meridian.engine.weights: priority " + priority + ", standard "
                    + standard + ", flex " + flex + ": expected 1 to " + MOST);
        }
    }

    int of(Priority of) {
        return switch (of) {
            case PRIORITY -> priority;
            case STANDARD -> standard;
            case FLEX -> flex;
        };
    }
}
