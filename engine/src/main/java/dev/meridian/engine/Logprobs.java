package dev.meridian.engine;

import dev.meridian.protocol.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Log-probabilities of a row of logits as the model gave them, before penalties and filters. Owned by the engine thread.
 */
final class Logprobs {
    private final Vocabulary vocabulary;
    private final float[] weights;
    private double logSum;

    Logprobs(Vocabulary vocabulary, int vocabSize) {
        this.vocabulary = vocabulary;
        weights = new float[vocabSize];
    }

    /** Reads a row; the other methods speak of it until the next call. */
    void read(float[] logits) {
        float max = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        FastExp.apply(logits, max, 1f, weights);
        double sum = 0;
        for (float weight : weights) {
            sum += weight;
        }
        logSum = max + Math.log(sum);
    }

    TokenLogprob of(float[] logits, int token) {
        byte[] bytes = vocabulary.bytes(token);
        return new TokenLogprob(
                token, new String(bytes, StandardCharsets.UTF_8), HexFormat.of().formatHex(bytes), (float)
                        (logits[token] - logSum));
    }

    /** The {@code count} most probable tokens in falling order; equal ones in rising id. */
    List<TokenLogprob> top(float[] logits, int count) {
        int[] best = new int[count];
        int n = 0;
        for (int i = 0; i < logits.length; i++) {
            if (n == count && (n == 0 || logits[i] <= logits[best[n - 1]])) {
                continue;
            }
            int at = n < count ? n++ : n - 1;
            while (at > 0 && logits[best[at - 1]] < logits[i]) {
                best[at] = best[at - 1];
                at--;
            }
            best[at] = i;
        }
        List<TokenLogprob> top = new ArrayList<>(n);
        for (int i = 0; i < n; i++) {
            top.add(of(logits, best[i]));
        }
        return top;
    }
}
