package dev.meridian.bench;

import dev.meridian.bench.load.Percentiles;
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

    void addAll(Gaps others) {
        for (int i = 0; i < others.count; i++) {
            add(others.nanos[i]);
        }
    }

    int count() {
        return count;
    }

    /** Nearest rank; of none it is an error. */
    Summary summary() {
        if (count == 0) {
            throw new MeasurementFailed("no gap between tokens was seen");
        }
        Percentiles sorted = new Percentiles(nanos, count);
        return new Summary(count, sorted.at(0.50) / 1e6, sorted.at(0.99) / 1e6, sorted.at(1) / 1e6);
    }

    /** Quantiles of {@code gaps} measurements, in milliseconds. */
    record Summary(int gaps, double p50Millis, double p99Millis, double maxMillis) {}
}
