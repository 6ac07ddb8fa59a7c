package dev.meridian.engine;

/**
 * Whether KV caches outlive their sequences, see {@link PrefixCache}.
 *
 * @param enabled false runs every prompt whole
 * @param slots further slots for what is kept, beside those that live sequences leave free; fewer where a model's KV memory
 *     would not fit them
 * @param acrossKeys whether requests of all keys use each other's
 */
public record PrefixCaching(boolean enabled, int slots, boolean acrossKeys) {
    /** More slots than any machine's memory fills. */
    public static final int MOST_SLOTS = 1024;

    public PrefixCaching {
        if (slots < 0 || slots > MOST_SLOTS) {
            throw new IllegalArgumentException(
                    "meridian.engine.prefix-cache.slots " + slots + ": expected 0 to " + MOST_SLOTS);
        }
    }

    /** For measurements, which run what they measure. */
    public static PrefixCaching off() {
        return new PrefixCaching(false, 0, false);
    }

    /** Slots that a runner needs for it. */
    int slotsToKeep() {
        return enabled ? slots : 0;
    }
}
