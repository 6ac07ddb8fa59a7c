package dev.meridian.node;

import dev.meridian.bench.http.Script;
import dev.meridian.engine.ModelRunner;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A model without weights whose decode step lasts until its next tick, as a GPU's would, and which says {@link Script}. */
final class PacedRunner implements ModelRunner {
    private final int slots;
    private final int contextTokens;
    private final long periodNanos;
    private final long prefillNanos;
    private final int[] next;
    private long tick;

    /**
     * A runner.
     *
     * @param rate decode steps a second
     * @param prefill how long each chunk of a prompt takes
     */
    PacedRunner(int slots, int contextTokens, int rate, Duration prefill) {
        this.slots = slots;
        this.contextTokens = contextTokens;
        periodNanos = TimeUnit.SECONDS.toNanos(1) / rate;
        prefillNanos = prefill.toNanos();
        next = new int[slots];
        tick = System.nanoTime();
    }

    @Override
    public int vocabSize() {
        return Script.VOCABULARY;
    }

    @Override
    public int slots() {
        return slots;
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public long kvBytes(int tokens) {
        return tokens;
    }

    @Override
    public void prefill(int slot, int position, int[] tokens, int offset, int count, boolean wantLogits) {
        next[0] = Script.next(tokens[offset + count - 1]);
        if (prefillNanos > 0) {
            parkUntil(System.nanoTime() + prefillNanos);
        }
    }

    /** Ticks are at fixed times; one that was missed is not made up for. */
    @Override
    public void decode(int rows, int[] tokens, int[] positions) {
        for (int row = 0; row < rows; row++) {
            next[row] = Script.next(tokens[row]);
        }
        long now = System.nanoTime();
        tick += periodNanos;
        if (tick - now < 0) {
            tick += (now - tick) / periodNanos * periodNanos;
        }
        parkUntil(tick);
    }

    static void parkUntil(long nanoTime) {
        for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    @Override
    public void logits(int row, float[] into) {
        Arrays.fill(into, 0f);
        into[next[row]] = 1f;
    }

    /** Nothing is kept: what a row says next follows from its newest token. */
    @Override
    public void moveSlot(int from, int to, int tokens) {}

    @Override
    public void swapSlots(int first, int firstTokens, int second, int secondTokens) {}

    @Override
    public void releaseSlot(int slot, int tokens) {}

    @Override
    public void close() {}
}
