package dev.meridian.placement.simulation;

import java.util.Comparator;
import java.util.PriorityQueue;

/** What is to happen, by time; of one moment in the order in which it was scheduled, the plan of the placement after all else. */
final class EventQueue {
    private static final Comparator<Entry> ORDER =
            Comparator.comparingLong(Entry::at).thenComparingInt(Entry::rank).thenComparingLong(Entry::number);

    private final PriorityQueue<Entry> entries = new PriorityQueue<>(1024, ORDER);
    private long scheduled;
    private long now;

    private record Entry(long at, int rank, long number, Event event) {}

    /** What can happen; {@code attempt} tells what is meant for an earlier stay of a request or node. */
    sealed interface Event {
        /** A source's next request comes. */
        record Arrival(Users users) implements Event {}

        /** A request is at its replica. */
        record Reached(Request request, int attempt) implements Event {}

        record Prefilled(Request request, int attempt) implements Event {}

        record Finished(Request request, int attempt) implements Event {}

        /** A request is sent anew after its node failed. */
        record Resent(Request request, int attempt) implements Event {}

        record GivenUp(Request request, int attempt) implements Event {}

        record Loaded(Replica replica, int attempt) implements Event {}

        /** Nobody can miss anything of a replica that was taken away any more. */
        record Lingered(Replica replica, int attempt) implements Event {}

        record NodeFailed(Node node) implements Event {}

        record NodeBack(Node node) implements Event {}

        record Plan() implements Event {}
    }

    /** Times before now are now. */
    void schedule(long at, Event event) {
        int rank = event instanceof Event.Plan ? 1 : 0;
        entries.add(new Entry(Math.max(now, at), rank, scheduled++, event));
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    long now() {
        return now;
    }

    /** When the next one happens; far away where there is none. */
    long nextAt() {
        Entry next = entries.peek();
        return next == null ? Long.MAX_VALUE : next.at();
    }

    /** The next one, whose time it becomes. */
    Event next() {
        Entry entry = entries.remove();
        now = entry.at();
        return entry.event();
    }
}
