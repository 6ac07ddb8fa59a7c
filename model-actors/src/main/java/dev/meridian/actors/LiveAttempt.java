package dev.meridian.actors;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a host knows of an attempt: whom it feeds, and its newest entries, so that a lost message can be sent again. An edge
 * that misses an entry that is kept no longer starts the next attempt. Owned by the host actor, but for
 * {@link #isCancelled}.
 */
final class LiveAttempt {
    private final Submit submit;
    private final List<KeptEntries.OfChoice> choices = new ArrayList<>();
    private int unfinished;
    private volatile boolean cancelled;

    /** {@code kept} holds the entries of all attempts of the host. */
    LiveAttempt(Submit submit, KeptEntries kept) {
        this.submit = submit;
        for (int choice = 0; choice < submit.finished().size(); choice++) {
            choices.add(kept.newChoice(submit.emitted().get(choice).size()));
            unfinished += submit.finished().get(choice) ? 0 : 1;
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
        choices.get(entry.choice()).add(entry);
        if (entry.finish() != null) {
            unfinished--;
        }
    }

    /** The entries of a choice from an index on; nothing where the first of them is forgotten. */
    Optional<List<Entry>> from(int choice, int index) {
        return choice < 0 || choice >= choices.size() || index < 0
                ? Optional.of(List.of())
                : choices.get(choice).from(index);
    }

    /** Nothing is sent again from now on. */
    void forgetEntries() {
        choices.forEach(KeptEntries.OfChoice::forget);
    }
}
