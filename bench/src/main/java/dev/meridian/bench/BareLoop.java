package dev.meridian.bench;

import dev.meridian.engine.ModelRunner;
import java.util.Random;

/** Runs a graph in a plain loop, the least that any decoder does. One thread; leaves its slots empty. */
public final class BareLoop {
    private final ModelRunner runner;
    private final int chunk;
    private final float[] logits;
    private final Random random = new Random(1);

    /**
     * A loop over a runner that nobody else uses meanwhile.
     *
     * @param chunk prompt tokens of one forward pass
     */
    public BareLoop(ModelRunner runner, int chunk) {
        this.runner = runner;
        this.chunk = chunk;
        logits = new float[runner.vocabSize()];
    }

    int[] randomTokens(int count) {
        return random.ints(count, 0, runner.vocabSize()).toArray();
    }

    /** Milliseconds until a random prompt's last logits are there. */
    public double prefillMillis(int prompt) {
        int[] tokens = randomTokens(prompt);
        long start = System.nanoTime();
        fill(0, tokens);
        double millis = (System.nanoTime() - start) / 1e6;
        runner.releaseSlot(0, prompt);
        return millis;
    }

    private void fill(int slot, int[] tokens) {
        for (int at = 0; at < tokens.length; at += chunk) {
            int count = Math.min(chunk, tokens.length - at);
            runner.prefill(slot, at, tokens, at, count, at + count == tokens.length);
        }
    }

    /**
     * Milliseconds of decode steps in which the best token of each row is taken, behind random prompts.
     *
     * @param rows sequences that decode together
     * @param context positions that each has filled when it begins
     */
    public double decodeMillis(int rows, int context, int steps) {
        int[] tokens = new int[rows];
        int[] positions = new int[rows];
        for (int row = 0; row < rows; row++) {
            fill(row, randomTokens(context));
            positions[row] = context;
        }
        long start = System.nanoTime();
        for (int step = 0; step < steps; step++) {
            runner.decode(rows, tokens, positions);
            for (int row = 0; row < rows; row++) {
                runner.logits(row, logits);
                tokens[row] = argmax(logits);
                positions[row]++;
            }
        }
        double millis = (System.nanoTime() - start) / 1e6;
        for (int row = 0; row < rows; row++) {
            runner.releaseSlot(row, positions[row]);
        }
        return millis;
    }

    private static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }
}
