package dev.meridian.edge.stream;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes that the journals of one edge may hold, and what of them is taken: <em>held</em> by entries that no client
 * has got yet, or <em>reserved</em> for entries that running streams may still bring. Readers on any thread give back;
 * the mux alone takes, so that what it found to fit still does when it is taken.
 */
public final class JournalBudget {
    private final long limitBytes;
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong reserved = new AtomicLong();

    /** @param limitBytes estimated heap bytes, at least 1 */
    public JournalBudget(long limitBytes) {
        if (limitBytes < 1) {
            throw new IllegalArgumentException("a journal budget of " + limitBytes + " bytes");
        }
        this.limitBytes = limitBytes;
    }

    public long limitBytes() {
        return limitBytes;
    }

    public long heldBytes() {
        return held.get();
    }

    public long reservedBytes() {
        return reserved.get();
    }

    /** Whether a stream that may need {@code bytes} can start. */
    boolean canReserve(long bytes) {
        return bytes <= limitBytes - held.get() - reserved.get();
    }

    /** Whether an entry of {@code bytes} can be held, whatever is reserved. */
    boolean canHold(long bytes) {
        return bytes <= limitBytes - held.get();
    }

    void reserve(long change) {
        reserved.addAndGet(change);
    }

    void hold(long change) {
        held.addAndGet(change);
    }
}
