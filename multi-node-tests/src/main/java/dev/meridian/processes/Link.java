package dev.meridian.processes;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The way of bytes from one node to another, whichever of them opened the connection. Thread-safe. */
final class Link {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final long delayNanos;
    /** What went over each connection, in order; null where nobody looks at it. */
    private final @Nullable Queue<ByteArrayOutputStream> recorded;

    private final LongAdder bytes = new LongAdder();
    private boolean cut;
    private long cutAt;
    /** How often it was healed after a long cut. */
    private int longOutages;

    /**
     * A link, open.
     *
     * @param records whether it keeps all bytes
     */
    Link(long delayNanos, boolean records) {
        this.delayNanos = delayNanos;
        recorded = records ? new ConcurrentLinkedQueue<>() : null;
    }

    long delayNanos() {
        return delayNanos;
    }

    /** What went over it so far. */
    long bytes() {
        return bytes.sum();
    }

    /** What tells the link of the bytes of a new connection, in order, after they were delivered. */
    Consumer<byte[]> newConnection() {
        if (recorded == null) {
            return piece -> bytes.add(piece.length);
        }
        ByteArrayOutputStream connection = new ByteArrayOutputStream();
        recorded.add(connection);
        return piece -> {
            bytes.add(piece.length);
            connection.writeBytes(piece);
        };
    }

    /** What went over each connection so far. Throws where it keeps nothing. */
    List<byte[]> recorded() {
        return Objects.requireNonNull(recorded, "this link keeps nothing").stream()
                .map(ByteArrayOutputStream::toByteArray)
                .toList();
    }

    void cut() {
        lock.lock();
        try {
            if (!cut) {
                cut = true;
                cutAt = System.nanoTime();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets go on what waits; after a cut that was longer than {@code longNanos} it is told so. */
    void heal(long longNanos) {
        lock.lock();
        try {
            if (cut && System.nanoTime() - cutAt >= longNanos) {
                longOutages++;
            }
            cut = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Returns once it is not cut, and whether that was only after a long outage. */
    boolean awaitOpen() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            int before = longOutages;
            while (cut) {
                changed.await();
            }
            return longOutages > before;
        } finally {
            lock.unlock();
        }
    }

    /** Returns after the time that bytes need, counted from {@code since}. */
    void awaitArrival(long since) throws InterruptedException {
        long left = since + delayNanos - System.nanoTime();
        if (left > 0) {
            TimeUnit.NANOSECONDS.sleep(left);
        }
    }

    @Override
    public String toString() {
        lock.lock();
        try {
            return (cut ? "cut, " : "open, ") + longOutages + " long outages, " + bytes + " bytes";
        } finally {
            lock.unlock();
        }
    }
}
