package dev.meridian.actors;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a host knows of an attempt: whom it feeds, and its newest entries, so that a lost message can be sent again. Bounded:
 * older entries are forgotten, and an edge that misses one starts the next attempt. Owned by the host actor, but for
 * {@link #isCancelled}.
 */
final class LiveAttempt {
    private final Submit submit;
    private final int keptPerChoice;
    private final List<Deque<Entry>> newest = new ArrayList<>();
    private int unfinished;
    private volatile boolean cancelled;

    /** {@code keptPerChoice} entries of each choice can be sent again. */
    LiveAttempt(Submit submit, int keptPerChoice) {
        this.submit = submit;
        this.keptPerChoice = keptPerChoice;
        for (boolean finished : submit.finished()) {
            newest.add(new ArrayDeque<>());
            unfinished += finished ? 0 : 1;
        }
    }

    Submit submit() {
        return submit;
    }

    Attempt attempt() {
        return submit.attempt();
    }

    ActorRef<StreamEvent> edge() {
        return submit.edge();
    }

    boolean isFinished() {
        return unfinished == 0;
    }

    void cancel() {
        cancelled = true;
    }

    /** Read by the threads that prepare prompts: a prompt that nobody waits for is not worth preparing. */
    boolean isCancelled() {
        return cancelled;
    }

    void record(Entry entry) {
        Deque<Entry> entries = newest.get(entry.choice());
        entries.addLast(entry);
        if (entries.size() > keptPerChoice) {
            entries.removeFirst();
        }
        if (entry.finish() != null) {
            unfinished--;
        }
    }

    /** The entries of a choice from an index on; empty where there are none, or the first of them is forgotten. */
    List<Entry> from(int choice, int index) {
        if (choice < 0 || choice >= newest.size()) {
            return List.of();
        }
        List<Entry> found = newest.get(choice).stream()
                .filter(entry -> entry.index() >= index)
                .toList();
        return found.isEmpty() || found.getFirst().index() != index ? List.of() : found;
    }
}
