package dev.meridian.engine;

/**
 * Chooses the next token from a row of logits. Filters apply in the order of Hugging Face's generation: penalties and
 * bias, temperature, top-k, top-p, min-p. Ties go to the lower token id. Owned by one engine thread; its scratch arrays are
 * as large as the vocabulary and are allocated once.
 */
final class Sampler {
    private final float[] weights;
    private final long[] keys;
    private final int[] seen;
    private final int[] counts;
    private int epoch;
    private double margin;

    Sampler(int vocabSize) {
        weights = new float[vocabSize];
        keys = new long[vocabSize];
        seen = new int[vocabSize];
        counts = new int[vocabSize];
    }

    /**
     * Applies penalties and bias to {@code logits} in place and chooses.
     *
     * @param tokens prompt and generated tokens, {@code length} of them, the first {@code promptLength} the prompt
     */
    int sample(float[] logits, SamplerSettings settings, int[] tokens, int promptLength, int length, int choice) {
        if (settings.penalises()) {
            penalise(logits, settings, tokens, promptLength, length);
        }
        for (int i = 0; i < settings.biasIds().length; i++) {
            logits[settings.biasIds()[i]] += settings.biases()[i];
        }
        if (settings.greedy()) {
            return argmax(logits);
        }
        return draw(logits, settings, CounterRandom.uniform(settings.seed(), choice, length - promptLength));
    }

    /**
     * How far the last choice was from another one: greedy, the gap between the two best logits; sampled, the distance of
     * the draw to the border of its interval, as a probability.
     */
    double margin() {
        return margin;
    }

    private void penalise(float[] logits, SamplerSettings s, int[] tokens, int promptLength, int length) {
        epoch++;
        for (int i = 0; i < length; i++) {
            int token = tokens[i];
            if (seen[token] != epoch) {
                seen[token] = epoch;
                counts[token] = 0;
                float logit = logits[token];
                logits[token] = logit > 0 ? logit / s.repetitionPenalty() : logit * s.repetitionPenalty();
            }
            if (i >= promptLength) {
                counts[token]++;
            }
        }
        for (int i = promptLength; i < length; i++) {
            int token = tokens[i];
            if (counts[token] > 0) {
                logits[token] -= s.presencePenalty() + s.frequencyPenalty() * counts[token];
                counts[token] = 0;
            }
        }
    }

    private int argmax(float[] logits) {
        int best = 0;
        float first = Float.NEGATIVE_INFINITY;
        float second = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.length; i++) {
            float logit = logits[i];
            if (logit > first) {
                second = first;
                first = logit;
                best = i;
            } else if (logit > second) {
                second = logit;
            }
        }
        requireNumber(first);
        margin = (double) first - second;
        return best;
    }

    /** A model whose best logit is no number is broken: nothing that it says can be served. */
    private static void requireNumber(float best) {
        if (Float.isNaN(best) || Float.isInfinite(best)) {
            throw new IllegalStateException("the best logit is " + best);
        }
    }

    private int draw(float[] logits, SamplerSettings s, double uniform) {
        float max = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        requireNumber(max);
        double sum = softmax(logits, max, s.temperature());
        boolean filtered = (s.topK() > 0 && s.topK() < logits.length) || s.topP() < 1f || s.minP() > 0f;
        return filtered ? drawFiltered(s, sum, uniform) : drawInOrder(sum, uniform);
    }

    /** Fills {@link #weights} with unnormalised probabilities, the best one 1, and returns their sum. */
    private double softmax(float[] logits, float max, float temperature) {
        FastExp.apply(logits, max, 1f / temperature, weights);
        double sum = 0;
        for (float weight : weights) {
            sum += weight;
        }
        return sum;
    }

    private int drawInOrder(double sum, double uniform) {
        double target = uniform * sum;
        double before = 0;
        int last = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] == 0f) {
                continue;
            }
            double after = before + weights[i];
            last = i;
            if (target < after) {
                margin = Math.min(target - before, after - target) / sum;
                return i;
            }
            before = after;
        }
        margin = 0;
        return last;
    }

    private int drawFiltered(SamplerSettings s, double sum, double uniform) {
        boolean byRank = s.topK() > 0 && s.topK() < weights.length;
        int kept = byRank
                ? collectTopK(s.topK())
                : collectAbove(Math.max((float) ((1.0 - s.topP()) * sum / weights.length), Math.nextDown(s.minP())));
        double keptSum = 0;
        for (int i = 0; i < kept; i++) {
            keptSum += weight(keys[i]);
        }
        double mass = byRank ? keptSum : sum;
        kept = cut(kept, s.topP() * mass, s.minP());
        keptSum = 0;
        for (int i = 0; i < kept; i++) {
            keptSum += weight(keys[i]);
        }
        return pick(kept, keptSum, uniform);
    }

    /**
     * Keys in falling weight; equal weights in rising id. Tokens of at most {@code least} weigh too little together to
     * reach into the nucleus, so the sort is of the few that can.
     */
    private int collectAbove(float least) {
        int n = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] > least || weights[i] == 1f) {
                keys[n++] = key(weights[i], i);
            }
        }
        for (int at = n / 2 - 1; at >= 0; at--) {
            siftDown(at, n);
        }
        sortHeap(n);
        return n;
    }

    /** A bounded heap of the k best, its worst at the root, then sorted. */
    private int collectTopK(int k) {
        int n = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] == 0f) {
                continue;
            }
            long key = key(weights[i], i);
            if (n < k) {
                keys[n] = key;
                siftUp(n++);
            } else if (key < keys[0]) {
                keys[0] = key;
                siftDown(0, n);
            }
        }
        sortHeap(n);
        return n;
    }

    /** Heap sort's second half. The library's sort is quicker where many stay, but takes an array as long for some inputs. */
    private void sortHeap(int n) {
        for (int last = n - 1; last > 0; last--) {
            swap(0, last);
            siftDown(0, last);
        }
    }

    private void siftUp(int at) {
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            if (keys[parent] >= keys[at]) {
                return;
            }
            swap(parent, at);
            at = parent;
        }
    }

    private void siftDown(int from, int size) {
        int at = from;
        for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && keys[child + 1] > keys[child]) {
                child++;
            }
            if (keys[at] >= keys[child]) {
                return;
            }
            swap(at, child);
            at = child;
        }
    }

    private void swap(int a, int b) {
        long held = keys[a];
        keys[a] = keys[b];
        keys[b] = held;
    }

    /** How many of the sorted keys stay: the smallest set that reaches {@code mass}, none below {@code minP}; at least one. */
    private int cut(int n, double mass, float minP) {
        double cumulative = 0;
        int kept = 0;
        while (kept < n && cumulative < mass && (kept == 0 || weight(keys[kept]) >= minP)) {
            cumulative += weight(keys[kept++]);
        }
        return Math.max(1, kept);
    }

    private int pick(int kept, double keptSum, double uniform) {
        double target = uniform * keptSum;
        double before = 0;
        for (int i = 0; i < kept; i++) {
            double after = before + weight(keys[i]);
            if (target < after || i == kept - 1) {
                margin = Math.max(0, Math.min(target - before, after - target)) / keptSum;
                return token(keys[i]);
            }
            before = after;
        }
        throw new IllegalStateException("nothing to pick from " + kept + " tokens");
    }

    /** Sorts upwards in falling weight: the bits of a non-negative float order as the float does. */
    private static long key(float weight, int token) {
        return (long) (Integer.MAX_VALUE - Float.floatToRawIntBits(weight)) << 32 | token;
    }

    private static float weight(long key) {
        return Float.intBitsToFloat(Integer.MAX_VALUE - (int) (key >>> 32));
    }

    private static int token(long key) {
        return (int) key;
    }
}
