package dev.meridian.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * A model without weights: the logits of a row are a function of the tokens that its slot has seen, so that a misplaced
 * or lost token of the KV cache shows in the text. Each position remembers its token, a hash of all tokens up to it, and for
 * whom it was run. Checks what the scheduler may not do: gaps in positions, rows without a cache, positions behind others than
 * those that they were run behind, or run for somebody else. What was committed at most is {@link #mostKvBytes()}.
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
    private final int slots;
    private final int[][] seen;
    private final long[][] prefixes;
    private final long[][] owners;
    private final float[][] rows;
    private final List<String> calls = new ArrayList<>();
    private long mostKvBytes;
    private int swaps;
    private int copies;
    private int moves;
    private boolean copiesSlots = true;
    private IntToLongFunction ownerOf = slot -> 0;
    private Runnable beforeStep = () -> {};
    private boolean runsRows;

    public ScriptedRunner(int vocabSize, int slots, int contextTokens, Script script) {
        this(vocabSize, slots, 0, contextTokens, script);
    }

    public ScriptedRunner(int vocabSize, int slots, int keptSlots, int contextTokens, Script script) {
        this.slots = slots;
        this.vocabSize = vocabSize;
        this.contextTokens = contextTokens;
        this.script = script;
        seen = new int[slots + keptSlots][0];
        prefixes = new long[slots + keptSlots][0];
        owners = new long[slots + keptSlots][0];
        rows = new float[slots + Rows.MOST_GUESSES][vocabSize];
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

    /** Logits in [0, 8) of a few letters, a function of the last two tokens: it repeats itself soon, and can be guessed. */
    public static Script repeating() {
        return (seen, into) -> {
            Arrays.fill(into, -100);
            long hash = 31L * seen[seen.length - 1] + (seen.length < 2 ? 0 : seen[seen.length - 2]);
            for (int i = 0; i < 6; i++) {
                hash = (hash ^ (hash >>> 29)) * 0xBF58476D1CE4E5B9L + i;
                into['a' + i] = (hash >>> 40) * 0x1p-21f;
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

    /** For whom a slot is run now. */
    void ownedBy(IntToLongFunction owner) {
        ownerOf = owner;
    }

    /** It copies and shrinks no slots from now on, as other runners. */
    void copyNothing() {
        copiesSlots = false;
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
        return slots;
    }

    @Override
    public int keptSlots() {
        return seen.length - slots;
    }

    @Override
    public boolean copiesSlots() {
        return copiesSlots;
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
            run(slot, tokens, offset, count);
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
            require(count <= slots, count + " rows of " + slots);
            calls.add("decode " + count);
            for (int row = 0; row < count; row++) {
                require(
                        seen[row].length == positions[row] && positions[row] > 0,
                        "row " + row + " holds " + seen[row].length + ", not " + positions[row]);
                run(row, tokens, row, 1);
                require(seen[row].length <= contextTokens, "row " + row + " is over the context");
                script.logits(seen[row], rows[row]);
            }
            measure();
        }
    }

    private void run(int slot, int[] tokens, int offset, int count) {
        long owner = ownerOf.applyAsLong(slot);
        int before = seen[slot].length;
        for (int i = 0; i < before; i++) {
            require(
                    prefixes[slot][i] == chained(i == 0 ? 0 : prefixes[slot][i - 1], seen[slot][i]),
                    "position " + i + " of slot " + slot + " was run behind other tokens");
            require(owners[slot][i] == owner, "position " + i + " of slot " + slot + " was run for somebody else");
        }
        resize(slot, before + count);
        for (int i = before; i < before + count; i++) {
            seen[slot][i] = tokens[offset + i - before];
            prefixes[slot][i] = chained(i == 0 ? 0 : prefixes[slot][i - 1], seen[slot][i]);
            owners[slot][i] = owner;
        }
    }

    private static long chained(long before, int token) {
        long hash = (before + token + 1) * 0x9E3779B97F4A7C15L;
        return hash ^ (hash >>> 31);
    }

    private void resize(int slot, int tokens) {
        seen[slot] = Arrays.copyOf(seen[slot], tokens);
        prefixes[slot] = Arrays.copyOf(prefixes[slot], tokens);
        owners[slot] = Arrays.copyOf(owners[slot], tokens);
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
                        seen[slot].length >= position,
                        "slot " + slot + " holds " + seen[slot].length + ", not " + position);
                int held = seen[slot].length;
                int[] behind = Arrays.copyOfRange(seen[slot], Math.min(held, position + 1), held);
                resize(slot, position);
                run(slot, new int[] {pass.token(row)}, 0, 1);
                require(seen[slot].length <= contextTokens, "slot " + slot + " is over the context");
                if (wanted < pass.wantedCount() && pass.wanted(wanted) == row) {
                    script.logits(seen[slot], rows[wanted++]);
                }
                // What stood behind was guessed wrong: it is of no use, and its memory is held.
                run(slot, behind, 0, behind.length);
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
        moves++;
        exchange(from, to);
    }

    @Override
    public synchronized void swapSlots(int first, int firstTokens, int second, int secondTokens) {
        require(
                seen[first].length == firstTokens && seen[second].length == secondTokens,
                "swap of " + firstTokens + " and " + secondTokens + " tokens, of slots of " + seen[first].length
                        + " and " + seen[second].length);
        swaps++;
        exchange(first, second);
    }

    private void exchange(int first, int second) {
        int[] held = seen[first];
        seen[first] = seen[second];
        seen[second] = held;
        long[] prefix = prefixes[first];
        prefixes[first] = prefixes[second];
        prefixes[second] = prefix;
        long[] owner = owners[first];
        owners[first] = owners[second];
        owners[second] = owner;
    }

    @Override
    public synchronized void copySlot(int from, int to, int tokens) {
        require(copiesSlots, "a copy by a runner that makes none");
        require(tokens > 0 && tokens <= seen[from].length, "copy of " + tokens + " tokens of " + seen[from].length);
        require(seen[to].length == 0, "slot " + to + " is taken");
        seen[to] = Arrays.copyOf(seen[from], tokens);
        prefixes[to] = Arrays.copyOf(prefixes[from], tokens);
        owners[to] = Arrays.copyOf(owners[from], tokens);
        copies++;
        measure();
    }

    @Override
    public synchronized void shrinkSlot(int slot, int tokens, int kept) {
        require(copiesSlots, "a slot shrinks by a runner that cannot");
        require(
                seen[slot].length == tokens && kept > 0 && kept < tokens,
                "slot " + slot + " of " + seen[slot].length + " tokens shrinks from " + tokens + " to " + kept);
        resize(slot, kept);
    }

    public synchronized int copies() {
        return copies;
    }

    public synchronized int moves() {
        return moves;
    }

    /** Tokens that each slot holds. */
    synchronized List<Integer> filled() {
        return Arrays.stream(seen).map(s -> s.length).toList();
    }

    public synchronized int swaps() {
        return swaps;
    }

    @Override
    public synchronized void releaseSlot(int slot, int tokens) {
        require(seen[slot].length == tokens, "release of " + tokens + " tokens from a slot of " + seen[slot].length);
        resize(slot, 0);
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
