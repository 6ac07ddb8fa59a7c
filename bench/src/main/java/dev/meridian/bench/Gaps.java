package dev.meridian.bench;

import java.util.Arrays;

/** Times between the tokens of streams, in nanoseconds. Owned by one thread at a time. */
final class Gaps {
    private long[] nanos = new long[1024];
    private int count;

    void add(long gapNanos) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, count * 2);
        }
        nanos[count++] = gapNanos;
    }

    int count() {
        return count;
    }

    /** Nearest rank; of none it is an error. */
    Summary summary() {
        if (count == 0) {
            throw new MeasurementFailed("no gap between tokens was seen");
        }
        long[] sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        return new Summary(count, at(sorted, 0.50), at(sorted, 0.99), sorted[count - 1] / 1e6);
    }

    private static double at(long[] sorted, double quantile) {
        return sorted[(int) Math.ceil(quantile * sorted.length) - 1] / 1e6;
    }

    /** Quantiles of {@code gaps} measurements, in milliseconds. */
    record Summary(int gaps, double p50Millis, double p99Millis, double maxMillis) {}
}
