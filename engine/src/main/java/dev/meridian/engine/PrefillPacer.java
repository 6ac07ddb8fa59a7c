package dev.meridian.engine;

import java.util.HashMap;
import java.util.Map;

/**
 * Sizes the prefill part of a step, so that a long prompt never holds up the streams that decode: decode and prefill of one
 * step together take at most {@code stretch} times what decode takes alone. Both are measured, and of the newest measurements
 * the middle one counts. While nothing decodes the full chunk runs.
 *
 * <p>The size climbs one step of {@link #SIZES} at a time where the next one is known or expected to fit, and falls at once
 * where its own cost does not. What a larger size cost is remembered for a while, so that the size does not swing. One
 * token always runs. Used by the engine thread alone.
 */
final class PrefillPacer {
    /** Few, because a runner keeps tensors for each size; close, because what lies between two of them is lost. */
    private static final int[] SIZES = {
        1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048
    };

    /** Paced passes after which a size that was too slow may be tried again: rare enough to be beyond the 99th percentile. */
    private static final int FORGET_AFTER = 512;

    /** Passes with prefill after which decode runs by itself once, to be measured. */
    private static final int ALONE_AFTER = 16;

    /** Where nothing is known yet. */
    private static final int FIRST = 3;

    private final int fullChunk;
    private final double stretch;
    private final RecentMedian decodeNanos = new RecentMedian();
    /** The same by the number of sequences, where prefill runs in the same pass and decode alone is seen now and then. */
    private final Map<Integer, RecentMedian> aloneNanos = new HashMap<>();

    private final RecentMedian[] costs = new RecentMedian[SIZES.length];
    /** Of passes while nothing decodes: what a token costs where the fixed part of a pass does not show. */
    private final RecentMedian bulkNanosPerToken = new RecentMedian();

    /** Whether this step holds somebody up; a clock too coarse to see a decode pass has nothing to go by. */
    private boolean paced;

    private int at = -1;
    private int passes;
    private int passesSinceAlone;
    /** What decode takes of this step, as far as that is known. */
    private long decodeCost;

    private long spentNanos;
    private long newestNanos;

    /**
     * @param fullChunk the most tokens of a pass
     * @param stretch above 1
     */
    PrefillPacer(int fullChunk, double stretch) {
        this.fullChunk = fullChunk;
        this.stretch = stretch;
        for (int i = 0; i < costs.length; i++) {
            costs[i] = new RecentMedian();
        }
    }

    /** A step begins that gave no sequence a token: its prefill holds up nobody. */
    void nothingDecoded() {
        paced = false;
        begin();
    }

    /** A step begins whose decode part took {@code nanos}. */
    void decoded(long nanos) {
        decodeNanos.add(nanos);
        decodeCost = decodeNanos.value();
        paced = decodeCost > 0;
        begin();
    }

    /**
     * A step begins in which {@code decoding} sequences run in the same pass as prefill. Returns the most prompt tokens that
     * it runs: none where decode has to be measured by itself.
     */
    int chunkBeside(int decoding) {
        if (decoding == 0) {
            nothingDecoded();
            return chunk();
        }
        RecentMedian alone = alone(decoding);
        if (alone.isEmpty() || passesSinceAlone >= ALONE_AFTER) {
            return 0;
        }
        decodeCost = alone.value();
        paced = decodeCost > 0;
        begin();
        return chunk();
    }

    /** The pass took {@code nanos} with {@code decoding} sequences and {@code prefilled} prompt tokens in it. */
    void ranTogether(int decoding, int prefilled, long nanos) {
        if (prefilled == 0) {
            alone(decoding).add(nanos);
            passesSinceAlone = 0;
        } else if (decoding == 0) {
            prefilled(prefilled, nanos);
        } else {
            passesSinceAlone++;
            prefilled(prefilled, Math.max(0, nanos - decodeCost));
        }
    }

    private RecentMedian alone(int decoding) {
        RecentMedian known = aloneNanos.get(decoding);
        if (known == null) {
            known = new RecentMedian();
            aloneNanos.put(decoding, known);
        }
        return known;
    }

    private void begin() {
        spentNanos = 0;
        newestNanos = 0;
        if (paced) {
            at = at < 0 ? first() : adjusted();
        }
    }

    /** The most prompt tokens that this step runs. */
    int chunk() {
        return paced ? size(at) : fullChunk;
    }

    /** Whether another pass like this step's last one still fits the step: several short prompts may share it. */
    boolean hasRoom() {
        return !paced || spentNanos + newestNanos <= allowance();
    }

    /** A pass of {@code tokens} took {@code nanos}. */
    void prefilled(int tokens, long nanos) {
        spentNanos += nanos;
        newestNanos = nanos;
        if (!paced) {
            bulkNanosPerToken.add(nanos / tokens);
        } else if (tokens == size(at)) {
            costs[at].add(nanos);
            if (++passes % FORGET_AFTER == 0 && at + 1 < SIZES.length) {
                costs[at + 1].clear();
            }
        }
    }

    private int size(int index) {
        return Math.min(SIZES[index], fullChunk);
    }

    /** What prefill may take of a step that decodes. */
    private long allowance() {
        return (long) (decodeCost * (stretch - 1));
    }

    private int first() {
        if (bulkNanosPerToken.isEmpty()) {
            return FIRST;
        }
        long tokens = allowance() / Math.max(1, bulkNanosPerToken.value());
        int index = 0;
        while (index + 1 < SIZES.length && SIZES[index + 1] <= tokens && SIZES[index] < fullChunk) {
            index++;
        }
        return index;
    }

    private int adjusted() {
        if (costs[at].isEmpty()) {
            return at;
        }
        long allowed = allowance();
        long cost = costs[at].value();
        if (cost > allowed) {
            return fitting(cost, allowed);
        }
        boolean canGrow = at + 1 < SIZES.length && SIZES[at] < fullChunk;
        return canGrow && costOfNext(cost) <= allowed ? at + 1 : at;
    }

    /** The largest smaller size that fits; of an unknown one the cost is taken in proportion, and measured next. */
    private int fitting(long cost, long allowed) {
        int index = at;
        while (index > 0) {
            index--;
            long expected = costs[index].isEmpty() ? cost * size(index) / size(at) : costs[index].value();
            if (expected <= allowed) {
                return index;
            }
        }
        return 0;
    }

    private long costOfNext(long cost) {
        if (!costs[at + 1].isEmpty()) {
            return costs[at + 1].value();
        }
        long perToken = cost / size(at);
        if (!bulkNanosPerToken.isEmpty()) {
            perToken = Math.min(perToken, bulkNanosPerToken.value());
        }
        return cost + perToken * (size(at + 1) - size(at));
    }
}
