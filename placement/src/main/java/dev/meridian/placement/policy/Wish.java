package dev.meridian.placement.policy;

/**
 * How many replicas of a model a region would have if there were room.
 *
 * @param keptWarm of them, as many as never go to make room
 * @param rank who gets room first
 * @param weight within a rank, the higher one gets room first
 * @param reason for a person to read
 */
record Wish(String model, int replicas, int keptWarm, Rank rank, double weight, String reason) {
    /** In the order in which they get room. */
    enum Rank {
        /** Was placed a moment ago, or serves streams. */
        PROTECTED,
        /** By an operator. */
        PLACED,
        KEPT_WARM,
        /** Requests wait for its load. */
        WAITED_FOR,
        ASKED,
        UNASKED
    }
}
