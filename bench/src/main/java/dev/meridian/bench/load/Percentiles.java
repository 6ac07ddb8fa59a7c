package dev.meridian.bench.load;

import java.util.Arrays;

/** Values by rank. Not changed after it was made. */
public final class Percentiles {
    private final long[] sorted;

    /** Takes the first {@code count} values, at least one. */
    public Percentiles(long[] values, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("no value has no percentiles");
        }
        sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
    }

    /** The least value that at least this share of all values, 0 to 1, does not pass (nearest rank). */
    public long at(double share) {
        return sorted[Math.clamp((long) Math.ceil(share * sorted.length) - 1, 0, sorted.length - 1)];
    }

    /** The value in the middle; of an even number the mean of the two. */
    public static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
