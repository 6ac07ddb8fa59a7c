package dev.meridian.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A model without weights: the logits of a row are a function of the tokens that its slot has seen, so that a misplaced
 * or lost token of the KV cache shows in the text. Checks what the scheduler may not do: gaps in positions, rows without
 * a cache. What was committed at most is {@link #mostKvBytes()}.
 */
public final class ScriptedRunner implements ModelRunner {
    /** From the tokens seen so far to the logits of the next one. */
    @FunctionalInterface
    public interface Script {
        void logits(int[] seen, float[] into);
    }

    private static final int KV_BYTES_PER_TOKEN = 10;

    private final int vocabSize;
    private final int contextTokens;
    private final Script script;
    private final int[][] seen;
    private final float[][] rows;
    private final List<String> calls = new ArrayList<>();
    private long mostKvBytes;
    private int swaps;
    private Runnable beforeStep = () -> {};
    private boolean runsRows;

    public ScriptedRunner(int vocabSize, int slots, int contextTokens, Script script) {
        this.vocabSize = vocabSize;
        this.contextTokens = contextTokens;
        this.script = script;
        seen = new int[slots][0];
        rows = new float[slots][vocabSize];
    }

    /** Says {@code reply} after any prompt of {@code promptLength} tokens, one token for each letter, then {@code end}. */
    public static Script replying(int promptLength, int[] reply, int end) {
        return (seen, into) -> {
            Arrays.fill(into, 0f);
            int at = seen.length - promptLength;
            into[at >= 0 && at < reply.length ? reply[at] : end] = 10f;
        };
    }

    /** Pseudo-random logits in [0, 8), a function of all tokens seen. */
    public static Script hashing() {
        return (seen, into) -> {
            long hash = Arrays.hashCode(seen) * 0x9E3779B97F4A7C15L;
            for (int i = 0; i < into.length; i++) {
                hash = (hash ^ (hash >>> 29)) * 0xBF58476D1CE4E5B9L + i;
                into[i] = (hash >>> 40) * 0x1p-21f;
            }
        };
    }

    /** Runs before every forward pass, on the engine thread: to pause, to fail. */
    public void beforeStep(Runnable action) {
        beforeStep = action;
    }

    /** From now on it takes rows of several sequences in one pass. */
    public ScriptedRunner runningRows() {
        runsRows = true;
        return this;
    }

    /** The forward passes so far, for example {@code decode 3} or {@code prefill 2@0+64}. */
    public synchronized List<String> calls() {
        return List.copyOf(calls);
    }

    public synchronized long mostKvBytes() {
        return mostKvBytes;
    }

    public synchronized long kvBytesNow() {
        return Arrays.stream(seen).mapToLong(s -> kvBytes(s.length)).sum();
    }

    @Override
    public int vocabSize() {
        return vocabSize;
    }

    @Override
    public int slots() {
        return seen.length;
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public long kvBytes(int tokens) {
        return (long) tokens * KV_BYTES_PER_TOKEN;
    }

    @Override
    public void prefill(int slot, int position, int[] tokens, int offset, int count, boolean wantLogits) {
        beforeStep.run();
        synchronized (this) {
            calls.add("prefill " + slot + "@" + position + "+" + count);
            require(
                    seen[slot].length == position,
                    "slot " + slot + " holds " + seen[slot].length + ", not " + position);
            seen[slot] = Arrays.copyOf(seen[slot], position + count);
            System.arraycopy(tokens, offset, seen[slot], position, count);
            require(seen[slot].length <= contextTokens, "slot " + slot + " is over the context");
            if (wantLogits) {
                script.logits(seen[slot], rows[0]);
            }
            measure();
        }
    }

    @Override
    public void decode(int count, int[] tokens, int[] positions) {
        beforeStep.run();
        synchronized (this) {
            calls.add("decode " + count);
            for (int row = 0; row < count; row++) {
                require(
                        seen[row].length == positions[row] && positions[row] > 0,
                        "row " + row + " holds " + seen[row].length + ", not " + positions[row]);
                seen[row] = Arrays.copyOf(seen[row], positions[row] + 1);
                seen[row][positions[row]] = tokens[row];
                require(seen[row].length <= contextTokens, "row " + row + " is over the context");
                script.logits(seen[row], rows[row]);
            }
            measure();
        }
    }

    @Override
    public boolean runsRows() {
        return runsRows;
    }

    @Override
    public void run(Rows pass) {
        require(runsRows && pass.count() > 0, "a pass of " + pass.count() + " rows");
        beforeStep.run();
        synchronized (this) {
            calls.add("run " + pass.count());
            int wanted = 0;
            for (int row = 0; row < pass.count(); row++) {
                int slot = pass.slot(row);
                int position = pass.position(row);
                require(
                        seen[slot].length == position,
                        "slot " + slot + " holds " + seen[slot].length + ", not " + position);
                seen[slot] = Arrays.copyOf(seen[slot], position + 1);
                seen[slot][position] = pass.token(row);
                require(seen[slot].length <= contextTokens, "slot " + slot + " is over the context");
                if (wanted < pass.wantedCount() && pass.wanted(wanted) == row) {
                    script.logits(seen[slot], rows[wanted++]);
                }
            }
            require(wanted == pass.wantedCount(), "rows are wanted out of order");
            measure();
        }
    }

    @Override
    public void logits(int row, float[] into) {
        System.arraycopy(rows[row], 0, into, 0, vocabSize);
    }

    @Override
    public synchronized void moveSlot(int from, int to, int tokens) {
        require(seen[from].length == tokens, "move of " + tokens + " tokens from a slot of " + seen[from].length);
        require(seen[to].length == 0, "slot " + to + " is taken");
        seen[to] = seen[from];
        seen[from] = new int[0];
    }

    @Override
    public synchronized void swapSlots(int first, int firstTokens, int second, int secondTokens) {
        require(
                seen[first].length == firstTokens && seen[second].length == secondTokens,
                "swap of " + firstTokens + " and " + secondTokens + " tokens, of slots of " + seen[first].length
                        + " and " + seen[second].length);
        swaps++;
        int[] held = seen[first];
        seen[first] = seen[second];
        seen[second] = held;
    }

    public synchronized int swaps() {
        return swaps;
    }

    @Override
    public synchronized void releaseSlot(int slot, int tokens) {
        require(seen[slot].length == tokens, "release of " + tokens + " tokens from a slot of " + seen[slot].length);
        seen[slot] = new int[0];
    }

    @Override
    public void close() {}

    private void measure() {
        mostKvBytes = Math.max(mostKvBytes, kvBytesNow());
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalStateException(message);
        }
    }
}
