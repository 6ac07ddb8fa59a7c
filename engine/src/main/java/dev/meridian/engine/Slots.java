package dev.meridian.engine;

import dev.meridian.protocol.Priority;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which slot. For a runner that decodes rows of slots, decoding sequences fill the slots from 0 without gaps; those
 * in prefill, and what is kept of ended ones ({@link PrefixCache}), hold slots behind them. Keeps the KV memory in step:
 * copies what changes its slot, releases what nobody holds.
 */
final class Slots {
    private static final int NONE = -1;

    private final ModelRunner runner;
    private final PrefixCache cache;
    /** Whether a decoding sequence's slot is its row: a runner that takes rows of any slots needs no moves. */
    private final boolean rowsAreSlots;

    private final List<Sequence> decoding = new ArrayList<>();
    private final List<Sequence> prefilling = new ArrayList<>();

    Slots(ModelRunner runner, PrefixCache cache) {
        this.runner = runner;
        this.cache = cache;
        rowsAreSlots = !runner.runsRows();
    }

    /** In the order of their rows. A live view, not to be changed. */
    List<Sequence> decoding() {
        return decoding;
    }

    /** In the order in which they started. A live view, not to be changed. */
    List<Sequence> prefilling() {
        return prefilling;
    }

    /** Whether a sequence of a class has prefill left to run: one whose last chunk stands in the coming pass has none. */
    boolean hasPrefilling(Priority priority) {
        for (Sequence sequence : prefilling) {
            if (sequence.priority() == priority && sequence.unfilled() > 0) {
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
            int slot = rowsAreSlots ? vacated(firstBehindRows(), kept) : anyEmpty(kept);
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

    /** An empty slot, or that of what was not used for longest. */
    private int anyEmpty(PrefixCache.@Nullable Kept but) {
        int empty = lastEmpty();
        return empty == NONE ? cache.releaseOldest(but) : empty;
    }

    /** What is kept in a slot moves to the far end, or, where all slots are taken, into that of what was not used for longest. */
    private int vacated(int slot, PrefixCache.@Nullable Kept but) {
        PrefixCache.Kept there = cache.in(slot);
        if (there == null) {
            return slot;
        }
        int empty = lastEmpty();
        int to = empty == NONE ? cache.releaseOldest(but) : empty;
        if (to != slot) {
            runner.moveSlot(slot, to, there.filled());
            there.putInto(to);
        }
        return slot;
    }

    private int lastEmpty() {
        int slot = runner.slots() + runner.keptSlots() - 1;
        while (slot >= 0 && (isHeld(decoding, slot) || isHeld(prefilling, slot) || cache.in(slot) != null)) {
            slot--;
        }
        return slot >= 0 ? slot : NONE;
    }

    private static boolean isHeld(List<Sequence> holders, int slot) {
        for (Sequence holder : holders) {
            if (holder.slot == slot) {
                return true;
            }
        }
        return false;
    }

    /** A sequence that was in prefill joins the decode batch; who holds the row that it gets, if that is a slot, takes its own. */
    void startDecode(Sequence sequence) {
        if (!prefilling.remove(sequence)) {
            throw new IllegalStateException(sequence + " is not in prefill");
        }
        sequence.become(Sequence.State.DECODE);
        if (rowsAreSlots) {
            putIntoRow(sequence, decoding.size());
        }
        decoding.add(sequence);
    }

    private void putIntoRow(Sequence sequence, int row) {
        Sequence holder = prefillingIn(row);
        PrefixCache.Kept kept = cache.in(row);
        if (holder != null) {
            runner.swapSlots(sequence.slot, sequence.held(), row, holder.held());
            holder.slot = sequence.slot;
            sequence.slot = row;
        } else if (kept != null) {
            runner.swapSlots(sequence.slot, sequence.held(), row, kept.filled());
            kept.putInto(sequence.slot);
            sequence.slot = row;
        } else {
            moveTo(sequence, row);
        }
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
        int row = decoded ? row(sequence) : NONE;
        boolean kept = cache.wants(sequence);
        if (!kept) {
            runner.releaseSlot(sequence.slot, sequence.held());
        } else if (sequence.held() > sequence.filled) {
            runner.shrinkSlot(sequence.slot, sequence.held(), sequence.filled);
            sequence.holdFilled();
        }
        if (decoded) {
            closeGap(sequence, row, kept);
        }
        if (kept) {
            cache.keep(sequence);
        }
        sequence.leaveSlot();
    }

    private int row(Sequence sequence) {
        int row = decoding.indexOf(sequence);
        if (row < 0 || (rowsAreSlots && row != sequence.slot)) {
            throw new IllegalStateException(sequence + " does not hold its row, " + row);
        }
        return row;
    }

    /** The last row takes the place of the one that leaves; where rows are slots, what is kept of that goes behind them. */
    private void closeGap(Sequence gone, int row, boolean kept) {
        Sequence last = decoding.removeLast();
        if (last == gone) {
            return;
        }
        decoding.set(row, last);
        if (!rowsAreSlots) {
            return;
        }
        if (kept) {
            runner.swapSlots(row, gone.held(), last.slot, last.held());
            gone.slot = last.slot;
            last.slot = row;
        } else {
            moveTo(last, row);
        }
    }

    private void moveTo(Sequence sequence, int slot) {
        if (sequence.slot != slot) {
            runner.moveSlot(sequence.slot, slot, sequence.held());
            sequence.slot = slot;
        }
    }

    /** KV bytes that all sequences commit once each decoding one has run its next token. */
    long bytesAfterDecode() {
        long bytes = 0;
        for (Sequence sequence : prefilling) {
            bytes += runner.kvBytes(sequence.held());
        }
        for (Sequence sequence : decoding) {
            bytes += runner.kvBytes(Math.max(sequence.held(), sequence.filled + 1));
        }
        return bytes;
    }
}
