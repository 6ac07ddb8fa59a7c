package dev.meridian.engine;

import dev.meridian.protocol.Priority;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which slot. Decoding sequences fill the slots from 0 without gaps; those in prefill, and what is kept of ended
 * ones ({@link PrefixCache}), hold slots behind them. Keeps the KV memory in step: copies what changes its slot, releases what
 * nobody holds.
 */
final class Slots {
    private static final int NONE = -1;

    private final ModelRunner runner;
    private final PrefixCache cache;
    private final List<Sequence> decoding = new ArrayList<>();
    private final List<Sequence> prefilling = new ArrayList<>();

    Slots(ModelRunner runner, PrefixCache cache) {
        this.runner = runner;
        this.cache = cache;
    }

    /** In slot order: element i holds slot i. A live view, not to be changed. */
    List<Sequence> decoding() {
        return decoding;
    }

    /** In the order in which they started. A live view, not to be changed. */
    List<Sequence> prefilling() {
        return prefilling;
    }

    boolean hasPrefilling(Priority priority) {
        for (Sequence sequence : prefilling) {
            if (sequence.priority() == priority) {
                return true;
            }
        }
        return false;
    }

    /** Whether another sequence may have a slot: what is kept gives up its own. */
    boolean hasFree() {
        return decoding.size() + prefilling.size() < runner.slots();
    }

    boolean isEmpty() {
        return prefilling.isEmpty() && decoding.isEmpty();
    }

    /**
     * Gives a waiting sequence, whose whole length fits the KV budget, a slot. What the prefix cache has of its tokens is
     * filled then.
     */
    void startPrefill(Sequence sequence) {
        if (!hasFree()) {
            throw new IllegalStateException("no free slot for " + sequence);
        }
        sequence.become(Sequence.State.PREFILL);
        PrefixCache.Match match = cache.longest(sequence, decoding, prefilling);
        PrefixCache.Kept kept = match == null ? null : match.kept();
        if (match != null && kept != null && takesOver(sequence, kept, match.tokens())) {
            cache.handOver(kept, match.tokens());
            sequence.begin(kept.slot(), match);
        } else {
            if (match != null) {
                cache.makeRoom(bytesAfterDecode() + runner.kvBytes(match.tokens()), kept);
            }
            int slot = firstBehindRows();
            vacate(slot, kept);
            if (match != null) {
                runner.copySlot(match.holder().slot(), slot, match.tokens());
            }
            sequence.begin(slot, match);
        }
        prefilling.add(sequence);
    }

    /** A copy leaves what is kept to others; not where next to nothing of it is left, nor where there is no room for both. */
    private boolean takesOver(Sequence sequence, PrefixCache.Kept kept, int tokens) {
        return PrefixCache.uses(kept, tokens)
                || !cache.fitsBeside(bytesAfterDecode() + runner.kvBytes(sequence.length() + 1), kept)
                || (lastEmpty() == NONE && cache.size() == 1);
    }

    /** Where a sequence in prefill most likely need not move when it decodes. */
    private int firstBehindRows() {
        int slot = decoding.size();
        while (prefillingIn(slot) != null) {
            slot++;
        }
        return slot;
    }

    /** What is kept in a slot moves to the far end, or, where all slots are taken, into that of what was not used for longest. */
    private void vacate(int slot, PrefixCache.@Nullable Kept but) {
        PrefixCache.Kept there = cache.in(slot);
        if (there == null) {
            return;
        }
        int empty = lastEmpty();
        int to = empty == NONE ? cache.releaseOldest(but) : empty;
        if (to != slot) {
            runner.moveSlot(slot, to, there.filled());
            there.putInto(to);
        }
    }

    private int lastEmpty() {
        int slot = runner.slots() + runner.keptSlots() - 1;
        while (slot >= decoding.size() && (prefillingIn(slot) != null || cache.in(slot) != null)) {
            slot--;
        }
        return slot >= decoding.size() ? slot : NONE;
    }

    /** A sequence that was in prefill joins the decode batch; who holds the row that it gets takes its slot. */
    void startDecode(Sequence sequence) {
        if (!prefilling.remove(sequence)) {
            throw new IllegalStateException(sequence + " is not in prefill");
        }
        sequence.become(Sequence.State.DECODE);
        int row = decoding.size();
        Sequence holder = prefillingIn(row);
        PrefixCache.Kept kept = cache.in(row);
        if (holder != null) {
            runner.swapSlots(sequence.slot, sequence.filled, row, holder.filled);
            holder.slot = sequence.slot;
            sequence.slot = row;
        } else if (kept != null) {
            runner.swapSlots(sequence.slot, sequence.filled, row, kept.filled());
            kept.putInto(sequence.slot);
            sequence.slot = row;
        } else {
            moveTo(sequence, row);
        }
        decoding.add(sequence);
    }

    private @Nullable Sequence prefillingIn(int slot) {
        for (Sequence sequence : prefilling) {
            if (sequence.slot == slot) {
                return sequence;
            }
        }
        return null;
    }

    /** Takes a sequence out of its slot. Its KV cache is kept, or gone. */
    void leave(Sequence sequence) {
        boolean decoded = !prefilling.remove(sequence);
        if (decoded) {
            requireRow(sequence);
        }
        boolean kept = cache.wants(sequence);
        if (!kept) {
            runner.releaseSlot(sequence.slot, sequence.filled);
        }
        if (decoded) {
            closeGap(sequence, kept);
        }
        if (kept) {
            cache.keep(sequence);
        }
        sequence.slot = Sequence.NO_SLOT;
        sequence.filled = 0;
    }

    private void requireRow(Sequence sequence) {
        int row = sequence.slot;
        if (row < 0 || row >= decoding.size() || decoding.get(row) != sequence) {
            throw new IllegalStateException(sequence + " does not hold row " + row);
        }
    }

    /** The last row takes the place of the one that leaves; what is kept of that goes behind the rows. */
    private void closeGap(Sequence gone, boolean kept) {
        Sequence last = decoding.removeLast();
        if (last == gone) {
            return;
        }
        int row = gone.slot;
        decoding.set(row, last);
        if (kept) {
            runner.swapSlots(row, gone.filled, last.slot, last.filled);
            gone.slot = last.slot;
            last.slot = row;
        } else {
            moveTo(last, row);
        }
    }

    private void moveTo(Sequence sequence, int slot) {
        if (sequence.slot != slot) {
            runner.moveSlot(sequence.slot, slot, sequence.filled);
            sequence.slot = slot;
        }
    }

    /** KV bytes that all sequences commit once each decoding one has run its next token. */
    long bytesAfterDecode() {
        long bytes = 0;
        for (Sequence sequence : prefilling) {
            bytes += runner.kvBytes(sequence.filled);
        }
        for (Sequence sequence : decoding) {
            bytes += runner.kvBytes(sequence.filled + 1);
        }
        return bytes;
    }
}
