package dev.meridian.bench.soak;

import dev.meridian.bench.MeasurementFailed;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Two ways to load a node: as many clients as it can serve, and requests at the trace's times. */
final class Load {
    /** Requests that may run at a time; those beyond are counted as skipped. */
    private static final int MOST_RUNNING = 1024;

    private static final long DRAIN_SECONDS = 120;

    private final Clients clients;
    private final Traffic traffic;
    private final Tally tally;

    Load(Clients clients, Traffic traffic, Tally tally) {
        this.clients = clients;
        this.traffic = traffic;
        this.tally = tally;
    }

    /** Keeps {@code clientCount} requests running for a time and returns how many a second ended. */
    double closed(int clientCount, long seconds) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        AtomicInteger next = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        Thread[] threads = new Thread[clientCount];
        for (int i = 0; i < clientCount; i++) {
            threads[i] = Thread.ofVirtual().start(() -> {
                while (System.nanoTime() - end < 0) {
                    int number = next.getAndIncrement();
                    clients.run(traffic.request(number % traffic.rows(), number / traffic.rows()));
                    if (System.nanoTime() - end < 0) {
                        ended.incrementAndGet();
                    }
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return ended.get() / (double) seconds;
    }

    /**
     * Sends requests at the trace's times, which are {@code speed} times as fast, from the current thread until it is
     * interrupted or the time is over. Then waits for those that run.
     *
     * @param firstRound of the trace, see {@link Traffic#request}
     */
    void open(Trace trace, double speed, long seconds, int firstRound) throws InterruptedException {
        Semaphore running = new Semaphore(MOST_RUNNING);
        long start = System.nanoTime();
        long length = trace.arrivals().getLast().nanos() + (long) (1e9 / trace.rate());
        long end = TimeUnit.SECONDS.toNanos(seconds);
        for (long number = 0; ; number++) {
            int row = (int) (number % traffic.rows());
            int round = (int) (number / traffic.rows());
            long due = (long) ((round * length + trace.arrivals().get(row).nanos()) / speed);
            if (due >= end || !await(start, Math.min(due, end))) {
                break;
            }
            send(running, traffic.request(row, firstRound + round));
        }
        await(start, end);
        if (!running.tryAcquire(MOST_RUNNING, DRAIN_SECONDS, TimeUnit.SECONDS)) {
            throw new MeasurementFailed("requests still run " + DRAIN_SECONDS + " s after the last one was sent");
        }
    }

    private void send(Semaphore running, SoakRequest request) {
        if (!running.tryAcquire()) {
            tally.skipped.increment();
            return;
        }
        Thread.ofVirtual().start(() -> {
            try {
                clients.run(request);
            } finally {
                running.release();
            }
        });
    }

    /** False where the thread was interrupted. */
    private static boolean await(long start, long due) {
        for (long left = due - (System.nanoTime() - start); left > 0; left = due - (System.nanoTime() - start)) {
            if (Thread.currentThread().isInterrupted()) {
                return false;
            }
            LockSupport.parkNanos(left);
        }
        return true;
    }
}
