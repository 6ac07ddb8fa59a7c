package dev.meridian.engine;

import java.util.ArrayList;
import java.util.List;

/** Keeps every row of logits that is read, in order. */
final class RecordingRunner implements ModelRunner {
    private final ModelRunner runner;
    private final List<float[]> rows = new ArrayList<>();

    RecordingRunner(ModelRunner runner) {
        this.runner = runner;
    }

    List<float[]> rows() {
        return rows;
    }

    @Override
    public int vocabSize() {
        return runner.vocabSize();
    }

    @Override
    public int slots() {
        return runner.slots();
    }

    @Override
    public int contextTokens() {
        return runner.contextTokens();
    }

    @Override
    public long kvBytes(int tokens) {
        return runner.kvBytes(tokens);
    }

    @Override
    public void prefill(int slot, int position, int[] tokens, int offset, int count, boolean wantLogits) {
        runner.prefill(slot, position, tokens, offset, count, wantLogits);
    }

    @Override
    public void decode(int count, int[] tokens, int[] positions) {
        runner.decode(count, tokens, positions);
    }

    @Override
    public boolean runsRows() {
        return runner.runsRows();
    }

    @Override
    public void run(Rows pass) {
        runner.run(pass);
    }

    @Override
    public void logits(int row, float[] into) {
        runner.logits(row, into);
        rows.add(into.clone());
    }

    @Override
    public void moveSlot(int from, int to, int tokens) {
        runner.moveSlot(from, to, tokens);
    }

    @Override
    public void swapSlots(int first, int firstTokens, int second, int secondTokens) {
        runner.swapSlots(first, firstTokens, second, secondTokens);
    }

    @Override
    public void releaseSlot(int slot, int tokens) {
        runner.releaseSlot(slot, tokens);
    }

    @Override
    public void close() {
        runner.close();
    }
}
