package dev.meridian.actors;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a host knows of an attempt: whom it feeds, and all entries so far, so that a lost message can be sent again. Bounded
 * by the attempt's own choices and tokens. Owned by the host actor.
 */
final class LiveAttempt {
    private final Submit submit;
    private final List<List<Entry>> sent = new ArrayList<>();
    private int unfinished;

    LiveAttempt(Submit submit) {
        this.submit = submit;
        for (boolean finished : submit.finished()) {
            sent.add(new ArrayList<>());
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

    void record(Entry entry) {
        sent.get(entry.choice()).add(entry);
        if (entry.finish() != null) {
            unfinished--;
        }
    }

    /** The entries of a choice from an index on; empty where there are none. */
    List<Entry> from(int choice, int index) {
        if (choice < 0 || choice >= sent.size()) {
            return List.of();
        }
        List<Entry> entries = sent.get(choice);
        int first = index - submit.emitted().get(choice).size();
        return first < 0 || first >= entries.size() ? List.of() : List.copyOf(entries.subList(first, entries.size()));
    }
}
