package dev.meridian.bench;

import com.sun.management.ThreadMXBean;
import dev.meridian.engine.StepListener;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Times the steps in which all expected sequences get a token. Read by the measuring thread after {@link #await}. */
final class StepClock implements StepListener {
    private static final long LOOK_MILLIS = 20;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private volatile Run run = new Run(0, 0);
    private volatile @Nullable MeasurementFailed failure;

    /** Starts over: wait for {@code steps} steps after the first full one; a single expected step is itself enough. */
    void expect(int sequences, int steps) {
        run = new Run(sequences, steps);
        throwIfFailed();
    }

    /** Waits for what is expected. Throws MeasurementFailed where the engine failed, refused, or makes no step. */
    void await(Patience patience) {
        Run awaited = run;
        try {
            while (!awaited.done.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                patience.check(awaited.toString());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MeasurementFailed("interrupted while measuring", e);
        }
        throwIfFailed();
    }

    /** Throws what went wrong so far. */
    void throwIfFailed() {
        MeasurementFailed failed = failure;
        if (failed != null) {
            throw failed;
        }
    }

    double tokensPerSecond() {
        Run measured = run;
        return (double) measured.sequences * measured.steps * 1e9 / (measured.lastNanos - measured.firstNanos);
    }

    /** Means something after two steps or more. */
    double allocatedPerToken() {
        Run measured = run;
        int steps = Math.max(1, measured.seen - 1);
        return (double) (measured.lastBytes - measured.firstBytes) / ((double) measured.sequences * steps);
    }

    @Override
    public void onStep(long step, List<Entry> entries) {
        Run current = run;
        if (current.done.getCount() == 0) {
            return;
        }
        if (entries.size() == current.sequences) {
            current.tick(threads.getThreadAllocatedBytes(Thread.currentThread().threadId()));
        }
        if (current.done.getCount() > 0) {
            failIfEnded(current, entries);
        }
    }

    /** All of them never decode together any more: nothing would end the wait. */
    private void failIfEnded(Run current, List<Entry> entries) {
        for (Entry entry : entries) {
            if (entry.finish() != null) {
                fail(new MeasurementFailed("sequence " + entry.choice() + " ended by " + entry.finish() + " after "
                        + (entry.index() + 1) + " tokens, before " + current));
            }
        }
    }

    @Override
    public void onRefused(Attempt attempt, Refusal reason) {
        // Of a failed engine onFailed tells more, and at once.
        if (!(reason instanceof Refusal.EngineFailed)) {
            fail(new MeasurementFailed(attempt.requestId() + " was refused: " + reason));
        }
    }

    @Override
    public void onFailed(Throwable cause) {
        fail(new MeasurementFailed("the engine failed: " + cause, cause));
    }

    /** Keeps the first one. Called by the engine thread alone. */
    private void fail(MeasurementFailed failed) {
        if (failure == null) {
            failure = failed;
        }
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

        void tick(long allocatedBytes) {
            long now = System.nanoTime();
            if (seen == 0) {
                firstNanos = now;
                firstBytes = allocatedBytes;
            }
            seen++;
            lastNanos = now;
            lastBytes = allocatedBytes;
            if (seen > steps || (sequences == 1 && steps == 1)) {
                done.countDown();
            }
        }

        @Override
        public String toString() {
            return "the next of " + steps + " steps with " + sequences + " sequences together";
        }
    }
}
