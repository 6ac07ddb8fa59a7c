package dev.meridian.bench;

import java.util.Arrays;

/**
 * What a model foresaw of a text that it was shown token by token: for each token that counts (of a whole text all but the
 * first) the one that the model held most likely there, and how likely it held the true one. Twelve bytes a token. Filled by
 * one thread; then safe for any.
 */
public final class Predictions {
    private final int[] likeliest;
    private final double[] losses;

    /** Of {@code count} tokens, at least one. */
    Predictions(int count) {
        likeliest = new int[count];
        losses = new double[count];
    }

    /**
     * Keeps what the logits say.
     *
     * @param logits {@code [vocabulary]} float32, not normalised
     * @param token the true one
     * @throws MeasurementFailed where the largest logit is no finite number
     */
    void set(int index, float[] logits, int token) {
        int top = likeliest(logits);
        if (!Float.isFinite(logits[top])) {
            throw new MeasurementFailed("the model's logits are not finite: "
                    + Arrays.toString(Arrays.copyOf(logits, Math.min(4, logits.length))) + ", ...");
        }
        likeliest[index] = top;
        losses[index] = logSumExp(logits, logits[top]) - logits[token];
    }

    /** The smallest id among equals, as the greedy sampler has it; that of a NaN where there is one. */
    private static int likeliest(float[] logits) {
        int top = 0;
        for (int id = 0; id < logits.length; id++) {
            if (Float.isNaN(logits[id])) {
                return id;
            }
            if (logits[id] > logits[top]) {
                top = id;
            }
        }
        return top;
    }

    /** {@code log(sum(exp(logits)))}, in double precision. */
    private static double logSumExp(float[] logits, float largest) {
        double total = 0;
        for (float logit : logits) {
            total += Math.exp(logit - (double) largest);
        }
        return Math.log(total) + largest;
    }

    /** Tokens that were predicted: of a whole text one less than it has. */
    public int count() {
        return losses.length;
    }

    /** The most likely token where the text has the one of this index among those that count. */
    int likeliest(int index) {
        return likeliest[index];
    }

    /** Negative logarithm of the true token's probability, in nats; infinite where the model gives it no chance. */
    double loss(int index) {
        return losses[index];
    }

    /** The mean of all losses. */
    double meanLoss() {
        double sum = 0;
        for (double loss : losses) {
            sum += loss;
        }
        return sum / losses.length;
    }
}
