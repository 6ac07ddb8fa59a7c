package dev.meridian.engine;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Hands arrivals and cancellations from any thread to the engine thread, and wakes it. Bounded by its capacity. */
final class Inbox {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final int capacity;
    private List<Sequence> arrivals = new ArrayList<>();
    private List<Attempt> cancels = new ArrayList<>();
    private int waiting;
    private boolean closed;

    Inbox(int capacity) {
        this.capacity = capacity;
    }

    /** Queues all or none: refused where the queue would hold more than its capacity, or the engine is closed. */
    Optional<Refusal> offer(List<Sequence> sequences) {
        lock.lock();
        try {
            if (closed) {
                return Optional.of(new Refusal.EngineFailed("the engine is closed"));
            }
            if (waiting + arrivals.size() + sequences.size() > capacity) {
                return Optional.of(new Refusal.QueueFull(capacity));
            }
            arrivals.addAll(sequences);
            changed.signal();
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    boolean isEmpty() {
        lock.lock();
        try {
            return arrivals.isEmpty() && cancels.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    void cancel(Attempt attempt) {
        lock.lock();
        try {
            cancels.add(attempt);
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Nothing is accepted from now on. Returns what the engine thread has not taken yet. */
    List<Sequence> close() {
        lock.lock();
        try {
            closed = true;
            changed.signal();
            return List.copyOf(arrivals);
        } finally {
            lock.unlock();
        }
    }

    /**
     * What came since the last call. Waits for it where {@code idle}.
     *
     * @param waitingNow sequences that the scheduler holds without a slot: they count against the capacity
     */
    Mail take(boolean idle, int waitingNow) throws InterruptedException {
        lock.lock();
        try {
            waiting = waitingNow;
            while (idle && !closed && arrivals.isEmpty() && cancels.isEmpty()) {
                changed.await();
            }
            // The lists go to the engine thread as they are, so both are new from here on, empty or not.
            Mail mail = new Mail(arrivals, cancels, closed);
            waiting += arrivals.size();
            arrivals = new ArrayList<>();
            cancels = new ArrayList<>();
            return mail;
        } finally {
            lock.unlock();
        }
    }

    record Mail(List<Sequence> arrivals, List<Attempt> cancels, boolean closed) {}
}
