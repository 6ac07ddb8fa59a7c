package dev.meridian.engine;

/**
 * The seam to the library that multiplies matrices: forward passes over slots that hold KV caches. All methods but
 * {@link #close} are called by the engine thread alone; {@code close} after it has ended.
 *
 * <p>A slot is a row index below {@link #slots()}, or one of {@link #keptSlots()} behind them. Decoding sequences fill the slots from 0 without gaps, because a decode
 * step runs over the rows {@code [0, rows)}.
 */
public interface ModelRunner extends AutoCloseable {
    int vocabSize();

    int slots();

    /**
     * Further slots, from {@link #slots()} on: a sequence may be in prefill there, and none decodes there. They are for what is
     * kept of sequences that ended.
     */
    default int keptSlots() {
        return 0;
    }

    /** Whether {@link #copySlot} and {@link #shrinkSlot} work. Where they do not, nothing is kept of sequences that ended. */
    default boolean copiesSlots() {
        return false;
    }

    /** The most positions a slot holds, prompt and output together. */
    int contextTokens();

    /** Native bytes of KV memory that a slot with {@code tokens} positions commits, rounded up to whole pages. */
    long kvBytes(int tokens);

    /**
     * Runs {@code count} tokens of one sequence at positions {@code position..position+count-1} of {@code slot}, whose
     * earlier positions are filled. With {@code wantLogits} the logits of the last one become row 0.
     */
    void prefill(int slot, int position, int[] tokens, int offset, int count, boolean wantLogits);

    /** Runs one token for each of the slots 0 to rows-1; {@code tokens[i]} stands at {@code positions[i]} of slot i. */
    void decode(int rows, int[] tokens, int[] positions);

    /** Whether {@link #run} is there: rows of several sequences, decoding or in prefill, go through the weights together. */
    default boolean runsRows() {
        return false;
    }

    /** Runs all of {@code rows}; the logits of those that want them become rows 0, 1, and so on, in their order. */
    default void run(Rows rows) {
        throw new UnsupportedOperationException("this runner takes one sequence at a time, or one token of each");
    }

    /** Copies the logits of a row of the last call into {@code into[0..vocabSize)}, float32, not normalised. */
    void logits(int row, float[] into);

    /** Moves the first {@code tokens} positions of one slot to an empty one; the first is empty afterwards. */
    void moveSlot(int from, int to, int tokens);

    /** Exchanges what two slots hold, the first {@code firstTokens} and {@code secondTokens} positions of them. */
    void swapSlots(int first, int firstTokens, int second, int secondTokens);

    /** Gives the memory of a slot's first {@code tokens} positions back to the system. */
    void releaseSlot(int slot, int tokens);

    /** Copies the first {@code tokens} positions of one slot, which holds at least as many, to an empty one. */
    default void copySlot(int from, int to, int tokens) {
        throw new UnsupportedOperationException("this runner copies no slots");
    }

    /** Gives the memory of a slot's positions behind the first {@code kept} of {@code tokens} back to the system. */
    default void shrinkSlot(int slot, int tokens, int kept) {
        throw new UnsupportedOperationException("this runner shrinks no slots");
    }

    @Override
    void close();
}
