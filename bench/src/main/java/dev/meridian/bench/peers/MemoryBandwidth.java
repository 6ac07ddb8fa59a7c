package dev.meridian.bench.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** How fast threads read memory that no cache holds. */
final class MemoryBandwidth implements AutoCloseable {
    /** Several times what a last-level cache of today has. */
    private static final int LONGS_PER_THREAD = 1 << 25;

    private static final int WARM_UPS = 3;

    private final ExecutorService threads;
    private final List<long[]> arrays = new ArrayList<>();

    MemoryBandwidth(int threads) {
        this.threads = Executors.newFixedThreadPool(threads);
        for (int i = 0; i < threads; i++) {
            long[] array = new long[LONGS_PER_THREAD];
            // Pages that were never written are all the same page of zeros.
            Arrays.fill(array, i + 1);
            arrays.add(array);
        }
    }

    /** Bytes a second of all threads together, each of which reads its own array once. */
    double bytesPerSecond() throws InterruptedException {
        for (int i = 0; i < WARM_UPS; i++) {
            read();
        }
        long start = System.nanoTime();
        read();
        return 8e9 * LONGS_PER_THREAD * arrays.size() / (System.nanoTime() - start);
    }

    private void read() throws InterruptedException {
        List<Callable<Long>> tasks = new ArrayList<>();
        arrays.forEach(array -> tasks.add(() -> sum(array)));
        for (Future<Long> part : threads.invokeAll(tasks)) {
            try {
                if (part.get() == 0) {
                    throw new IllegalStateException("an array of positive values has no sum");
                }
            } catch (ExecutionException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static long sum(long[] array) {
        long total = 0;
        for (long value : array) {
            total += value;
        }
        return total;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
