package dev.meridian.bench.soak;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a soak is asked to do.
 *
 * @param bundle folder with a bundle.json
 * @param trace null for the synthetic one
 * @param load share of the measured capacity
 * @param minutes of the timed load
 * @param capacitySeconds how long the capacity is measured, after half as long a warm-up
 * @param clients requests that run at a time while the capacity is measured
 * @param threads of a forward pass
 * @param heapMegabytes of the node's JVM, all of it touched at the start so that it cannot grow
 * @param sampleSeconds between two samples
 * @param collectEvery full garbage collections are made before every so manieth sample; 0 for none
 * @param csv where the samples go; null for nowhere
 */
record SoakPlan(
        Path bundle,
        @Nullable Path trace,
        double load,
        double minutes,
        int capacitySeconds,
        int clients,
        int threads,
        int heapMegabytes,
        int sampleSeconds,
        int collectEvery,
        @Nullable Path csv) {
    private static final int MOST_SAMPLES = 10_000;

    SoakPlan {
        require(load > 0 && load <= 2, "--load " + load + ": expected more than 0 and at most 2");
        require(minutes > 0 && minutes <= 10_080, "--minutes " + minutes + ": expected more than 0 and at most 10080");
        require(capacitySeconds >= 1, "--capacity-seconds " + capacitySeconds + ": expected at least 1");
        require(clients >= 1 && clients <= 1024, "--clients " + clients + ": expected 1 to 1024");
        require(threads >= 1, "--threads " + threads + ": expected at least 1");
        require(heapMegabytes >= 64, "--heap " + heapMegabytes + ": expected at least 64");
        require(sampleSeconds >= 1, "--sample-seconds " + sampleSeconds + ": expected at least 1");
        require(collectEvery >= 0, "--collect " + collectEvery + ": expected at least 0");
        require(
                minutes * 60 / sampleSeconds <= MOST_SAMPLES,
                "--sample-seconds " + sampleSeconds + ": more than " + MOST_SAMPLES + " samples in " + minutes
                        + " minutes");
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
