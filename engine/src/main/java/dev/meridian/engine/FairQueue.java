package dev.meridian.engine;

import dev.meridian.protocol.Priority;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The sequences without a slot, a queue for each class, and what each class was served. The next one to get a slot is the
 * first of the class that was served the fewest tokens for its weight; inside a class arrival order holds. A class whose queue was empty has no claim to what
 * it did not ask for: it starts from where the others are. Used by the engine thread alone.
 *
 * <p>Source: start-time fair queueing (Goyal, Vin, Cheng, 1996), with the tokens as they are run in place of a packet's length,
 * because nobody knows how long a reply becomes. While several classes wait, the tokens served to each of them for its weight
 * differ by at most what the slots hold: slots times the longest sequence, divided by the smaller weight.
 */
final class FairQueue {
    private final Map<Priority, ClassQueue> classes = new EnumMap<>(Priority.class);
    private int size;
    private double virtualNow;

    FairQueue(PriorityWeights weights) {
        for (Priority priority : Priority.values()) {
            classes.put(priority, new ClassQueue(weights.of(priority)));
        }
    }

    int size() {
        return size;
    }

    int size(Priority priority) {
        return queue(priority).waiting.size();
    }

    boolean isEmpty() {
        return size == 0;
    }

    void addLast(Sequence sequence) {
        startOf(sequence).addLast(sequence);
        size++;
    }

    /** A sequence that had a slot: it comes before those that never had one. */
    void addFirst(Sequence sequence) {
        startOf(sequence).addFirst(sequence);
        size++;
    }

    private Deque<Sequence> startOf(Sequence sequence) {
        ClassQueue queue = queue(sequence.priority());
        if (queue.waiting.isEmpty()) {
            queue.served = Math.max(queue.served, virtualNow);
        }
        return queue.waiting;
    }

    /** Who is next of the classes that are not passed over; null where nobody waits. */
    @Nullable
    Sequence peek(Predicate<Priority> passedOver) {
        Sequence next = null;
        for (var entry : classes.entrySet()) {
            Sequence head = entry.getValue().waiting.peekFirst();
            if (head != null
                    && !passedOver.test(entry.getKey())
                    && (next == null || compare(head.priority(), next.priority()) < 0)) {
                next = head;
            }
        }
        return next;
    }

    /** Below 0 where {@code first} was served fewer tokens for its weight than {@code second}, or as many and is more urgent. */
    int compare(Priority first, Priority second) {
        int order = Double.compare(queue(first).served, queue(second).served);
        return order == 0 ? first.compareTo(second) : order;
    }

    /** Takes out whom {@link #peek} named. */
    void remove(Sequence next) {
        ClassQueue queue = queue(next.priority());
        if (queue.waiting.peekFirst() != next) {
            throw new IllegalStateException(next + " is not the first of its class");
        }
        queue.waiting.removeFirst();
        size--;
        virtualNow = Math.max(virtualNow, queue.served);
    }

    /** The model ran {@code tokens} for a sequence of this class. */
    void served(Priority priority, int tokens) {
        ClassQueue queue = queue(priority);
        queue.served += (double) tokens / queue.weight;
    }

    /** Takes out those for which {@code gone} holds, telling of each. */
    void removeIf(Predicate<Sequence> gone, Consumer<Sequence> removed) {
        for (ClassQueue queue : classes.values()) {
            for (Iterator<Sequence> it = queue.waiting.iterator(); it.hasNext(); ) {
                Sequence sequence = it.next();
                if (gone.test(sequence)) {
                    it.remove();
                    size--;
                    removed.accept(sequence);
                }
            }
        }
    }

    void forEach(Consumer<Sequence> action) {
        classes.values().forEach(queue -> queue.waiting.forEach(action));
    }

    private ClassQueue queue(Priority priority) {
        ClassQueue queue = classes.get(priority);
        if (queue == null) {
            throw new IllegalStateException("no queue for " + priority);
        }
        return queue;
    }

    private static final class ClassQueue {
        private final Deque<Sequence> waiting = new ArrayDeque<>();
        private final int weight;
        /** Tokens for each unit of weight, never less than where the class came in. */
        private double served;

        ClassQueue(int weight) {
            this.weight = weight;
        }
    }
}
