package dev.meridian.engine;

import java.util.Arrays;

/** The middle one of the newest measurements, so that a few outliers change nothing. Owned by one thread. */
final class RecentMedian {
    private static final int KEPT = 5;

    private final long[] newest = new long[KEPT];
    private final long[] sorted = new long[KEPT];
    private int count;

    void add(long value) {
        newest[count++ % KEPT] = value;
        if (count == 2 * KEPT) {
            count = KEPT;
        }
    }

    boolean isEmpty() {
        return count == 0;
    }

    void clear() {
        count = 0;
    }

    /** Of an even number the higher of the two in the middle; 0 where there is none. */
    long value() {
        int known = Math.min(count, KEPT);
        System.arraycopy(newest, 0, sorted, 0, known);
        Arrays.sort(sorted, 0, known);
        return known == 0 ? 0 : sorted[known / 2];
    }
}
