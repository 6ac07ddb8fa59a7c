package dev.meridian.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which slot. Decoding sequences fill the slots from 0 without gaps; at most one sequence is in prefill, in a
 * slot behind them. Keeps the KV memory in step: copies a sequence that changes its slot, releases what nobody holds.
 */
final class Slots {
    private final ModelRunner runner;
    private final List<Sequence> decoding = new ArrayList<>();
    private @Nullable Sequence prefilling;

    Slots(ModelRunner runner) {
        this.runner = runner;
    }

    /** In slot order: element i holds slot i. A live view, not to be changed. */
    List<Sequence> decoding() {
        return decoding;
    }

    @Nullable
    Sequence prefilling() {
        return prefilling;
    }

    boolean hasFree() {
        return prefilling == null && decoding.size() < runner.slots();
    }

    boolean isEmpty() {
        return prefilling == null && decoding.isEmpty();
    }

    void startPrefill(Sequence sequence) {
        if (!hasFree()) {
            throw new IllegalStateException("no free slot for " + sequence);
        }
        sequence.become(Sequence.State.PREFILL);
        sequence.slot = decoding.size();
        prefilling = sequence;
    }

    /** The sequence in prefill joins the decode batch. */
    void startDecode() {
        Sequence sequence = prefilling;
        if (sequence == null) {
            throw new IllegalStateException("nothing is in prefill");
        }
        prefilling = null;
        sequence.become(Sequence.State.DECODE);
        moveTo(sequence, decoding.size());
        decoding.add(sequence);
    }

    /** Takes a sequence out of its slot; its KV cache is gone. */
    void evict(Sequence sequence) {
        if (sequence == prefilling) {
            runner.releaseSlot(sequence.slot, sequence.filled);
            prefilling = null;
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
        long bytes = prefilling == null ? 0 : runner.kvBytes(prefilling.filled);
        for (Sequence sequence : decoding) {
            bytes += runner.kvBytes(sequence.filled + 1);
        }
        return bytes;
    }
}
