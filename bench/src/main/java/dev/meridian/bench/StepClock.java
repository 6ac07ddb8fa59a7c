package dev.meridian.bench;

import com.sun.management.ThreadMXBean;
import dev.meridian.engine.StepListener;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Times the steps in which all expected sequences get a token. Read by the measuring thread after {@link #await}. */
final class StepClock implements StepListener {
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private volatile Run run = new Run(0, 0);

    /** Starts over: wait for {@code steps} steps after the first full one; a single expected step is itself enough. */
    void expect(int sequences, int steps) {
        run = new Run(sequences, steps);
    }

    void await() {
        try {
            run.done.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        }
    }

    double tokensPerSecond() {
        Run measured = run;
        return (double) measured.sequences * measured.steps * 1e9 / (measured.lastNanos - measured.firstNanos);
    }

    double allocatedPerToken() {
        Run measured = run;
        int steps = Math.max(1, measured.seen - 1);
        return (double) (measured.lastBytes - measured.firstBytes) / ((double) measured.sequences * steps);
    }

    @Override
    public void onStep(long step, List<Entry> entries) {
        Run current = run;
        if (entries.size() != current.sequences || current.done.getCount() == 0) {
            return;
        }
        long now = System.nanoTime();
        long bytes = threads.getThreadAllocatedBytes(Thread.currentThread().threadId());
        if (current.seen == 0) {
            current.firstNanos = now;
            current.firstBytes = bytes;
        }
        current.seen++;
        current.lastNanos = now;
        current.lastBytes = bytes;
        if (current.seen > current.steps || (current.sequences == 1 && current.steps == 1)) {
            current.done.countDown();
        }
    }

    @Override
    public void onRefused(Attempt attempt, Refusal reason) {
        throw new IllegalStateException(attempt + " was refused: " + reason);
    }

    @Override
    public void onFailed(Throwable cause) {
        run.done.countDown();
    }

    /** Written by the engine thread, read after the latch. */
    private static final class Run {
        private final int sequences;
        private final int steps;
        private final CountDownLatch done = new CountDownLatch(1);
        private int seen;
        private long firstNanos;
        private long lastNanos;
        private long firstBytes;
        private long lastBytes;

        Run(int sequences, int steps) {
            this.sequences = sequences;
            this.steps = steps;
        }
    }
}
