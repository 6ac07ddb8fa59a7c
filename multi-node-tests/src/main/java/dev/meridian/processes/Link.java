package dev.meridian.processes;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** The way of bytes from one node to another, whichever of them opened the connection. Thread-safe. */
final class Link {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final long delayNanos;
    private final LongAdder bytes = new LongAdder();
    private boolean cut;
    private long cutAt;
    /** How often it was healed after a long cut. */
    private int longOutages;

    Link(long delayNanos) {
        this.delayNanos = delayNanos;
    }

    long delayNanos() {
        return delayNanos;
    }

    /** What went over it so far. */
    long bytes() {
        return bytes.sum();
    }

    void count(int more) {
        bytes.add(more);
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
