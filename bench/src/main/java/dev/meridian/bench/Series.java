package dev.meridian.bench;

import static dev.meridian.bench.load.Percentiles.median;

import org.jspecify.annotations.Nullable;

/** The rounds of one row of the report. */
final class Series {
    /** In place of a number of sequences: the row is of prefill. */
    static final int PREFILL = 0;

    private final String name;
    private final int sequences;
    private final double[] bare;
    private final double[] engine;
    private final double[] ratio;
    private final double[] heap;

    Series(String name, int sequences, int rounds) {
        this.name = name;
        this.sequences = sequences;
        bare = new double[rounds];
        engine = new double[rounds];
        ratio = new double[rounds];
        heap = new double[rounds];
    }

    int sequences() {
        return sequences;
    }

    boolean isPrefill() {
        return sequences == PREFILL;
    }

    /**
     * Rates in tokens a second.
     *
     * @param heapBytes for each token; ignored for prefill, where it is not measured
     */
    void record(int round, double bareRate, double engineRate, double heapBytes) {
        bare[round] = bareRate;
        engine[round] = engineRate;
        ratio[round] = engineRate / bareRate;
        heap[round] = heapBytes;
    }

    EngineReport.Row row() {
        @Nullable Double heapBytes = isPrefill() ? null : median(heap);
        return new EngineReport.Row(
                name, Math.max(1, sequences), median(bare), median(engine), median(ratio), heapBytes);
    }
}
