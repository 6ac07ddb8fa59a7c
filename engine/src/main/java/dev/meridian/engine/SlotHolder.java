package dev.meridian.engine;

/** Who holds a slot: a sequence that runs, or what is kept of one that ended. */
sealed interface SlotHolder permits Sequence, PrefixCache.Kept {
    int slot();

    /** Positions of the slot that are filled, those of the first tokens. */
    int filled();

    /** Only the first {@link #filled()} count here. Not a copy. */
    int[] tokens();

    /** Requests of one scope may use each other's KV caches. */
    long scope();

    /** The request that filled it. */
    String requestId();

    /** Tokens that this request found in the cache. */
    int cachedTokens();
}
