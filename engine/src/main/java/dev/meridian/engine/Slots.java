package dev.meridian.engine;

import dev.meridian.protocol.Priority;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which slot. Decoding sequences fill the slots from 0 without gaps; those in prefill hold slots behind them.
 * Keeps the KV memory in step: copies a sequence that changes its slot, releases what nobody holds.
 */
final class Slots {
    private final ModelRunner runner;
    private final List<Sequence> decoding = new ArrayList<>();
    private final List<Sequence> prefilling = new ArrayList<>();

    Slots(ModelRunner runner) {
        this.runner = runner;
    }

    /** In slot order: element i holds slot i. A live view, not to be changed. */
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

    boolean hasFree() {
        return decoding.size() + prefilling.size() < runner.slots();
    }

    boolean isEmpty() {
        return prefilling.isEmpty() && decoding.isEmpty();
    }

    void startPrefill(Sequence sequence) {
        if (!hasFree()) {
            throw new IllegalStateException("no free slot for " + sequence);
        }
        sequence.become(Sequence.State.PREFILL);
        int slot = decoding.size();
        while (prefillingIn(slot) != null) {
            slot++;
        }
        sequence.slot = slot;
        prefilling.add(sequence);
    }

    /** A sequence that was in prefill joins the decode batch; who is in prefill in the row that it gets takes its slot. */
    void startDecode(Sequence sequence) {
        if (!prefilling.remove(sequence)) {
            throw new IllegalStateException(sequence + " is not in prefill");
        }
        sequence.become(Sequence.State.DECODE);
        int row = decoding.size();
        Sequence holder = prefillingIn(row);
        if (holder == null) {
            moveTo(sequence, row);
        } else {
            runner.swapSlots(sequence.slot, sequence.filled, row, holder.filled);
            holder.slot = sequence.slot;
            sequence.slot = row;
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

    /** Takes a sequence out of its slot; its KV cache is gone. */
    void evict(Sequence sequence) {
        if (prefilling.remove(sequence)) {
            runner.releaseSlot(sequence.slot, sequence.filled);
        } else {
            removeRow(sequence);
        }
        sequence.slot = Sequence.NO_SLOT;
        sequence.filled = 0;
    }

    private void removeRow(Sequence sequence) {
        int row = sequence.slot;
        if (row < 0 || row >= decoding.size() || decoding.get(row) != sequence) {
            throw new IllegalStateException(sequence + " does not hold row " + row);
        }
        runner.releaseSlot(row, sequence.filled);
        Sequence last = decoding.removeLast();
        if (last != sequence) {
            moveTo(last, row);
            decoding.set(row, last);
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
