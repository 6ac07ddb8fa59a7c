package dev.meridian.engine;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Refusal;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToIntFunction;

/**
 * Hands arrivals and cancellations from any thread to the engine thread, and wakes it. Bounded by its capacity, of which each
 * class of requests has a part for itself: a flood of one class leaves room for the others.
 */
final class Inbox {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final int capacity;
    private final int reserve;
    /** Sequences of each class that wait here or in the scheduler. */
    private final Map<Priority, Integer> waiting = new EnumMap<>(Priority.class);

    private List<Sequence> arrivals = new ArrayList<>();
    private List<Attempt> cancels = new ArrayList<>();
    private boolean closed;

    /** {@code reserve} places of {@code capacity} are each class's own. */
    Inbox(int capacity, int reserve) {
        this.capacity = capacity;
        this.reserve = reserve;
    }

    /** Queues all or none of sequences of one class: refused where the queue would hold more than its capacity, or the engine is closed. */
    Optional<Refusal> offer(List<Sequence> sequences) {
        lock.lock();
        try {
            if (closed) {
                return Optional.of(new Refusal.EngineFailed("the engine is closed"));
            }
            if (sequences.size() > roomFor(sequences.getFirst().priority())) {
                return Optional.of(new Refusal.QueueFull(capacity));
            }
            arrivals.addAll(sequences);
            count(sequences);
            changed.signal();
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    private void count(List<Sequence> sequences) {
        sequences.forEach(sequence -> waiting.merge(sequence.priority(), 1, Integer::sum));
    }

    /**
     * What the others do not hold and is not kept for them. Sequences that gave their slot up wait beyond the capacity, as many
     * as there are slots at most, so that they take no other class's places.
     */
    private int roomFor(Priority priority) {
        int room = capacity - waiting.getOrDefault(priority, 0);
        int mostOfOneClass = capacity - reserve * (Priority.values().length - 1);
        for (Priority other : Priority.values()) {
            if (other != priority) {
                room -= Math.max(reserve, Math.min(mostOfOneClass, waiting.getOrDefault(other, 0)));
            }
        }
        return room;
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
     * @param waitingNow sequences of a class that the scheduler holds without a slot: they count against the capacity
     */
    Mail take(boolean idle, ToIntFunction<Priority> waitingNow) throws InterruptedException {
        lock.lock();
        try {
            for (Priority priority : Priority.values()) {
                waiting.put(priority, waitingNow.applyAsInt(priority));
            }
            count(arrivals);
            while (idle && !closed && arrivals.isEmpty() && cancels.isEmpty()) {
                changed.await();
            }
            // The lists go to the engine thread as they are, so both are new from here on, empty or not.
            Mail mail = new Mail(arrivals, cancels, closed);
            arrivals = new ArrayList<>();
            cancels = new ArrayList<>();
            return mail;
        } finally {
            lock.unlock();
        }
    }

    record Mail(List<Sequence> arrivals, List<Attempt> cancels, boolean closed) {}
}
