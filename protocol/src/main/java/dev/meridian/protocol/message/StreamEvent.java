package dev.meridian.protocol.message;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;
import java.util.List;
import java.util.Objects;
import org.apache.pekko.actor.typed.ActorRef;

/** What a model host tells the edge that it feeds. */
public sealed interface StreamEvent {
    /**
     * The attempt is queued at {@code producer}, where Cancel and Resend go from now on.
     *
     * @param promptIds the prompt as the model sees it: later attempts start from these ids
     */
    record Accepted(Attempt attempt, ActorRef<ReplicaCommand> producer, TokenIds promptIds) implements StreamEvent {
        public Accepted {
            Objects.requireNonNull(producer);
        }
    }

    /** The attempt is not served, or, after Accepted, ended before its last token. */
    record Refused(Attempt attempt, Refusal reason) implements StreamEvent {}

    /**
     * What one engine step made for the streams of one edge, or a part of it: a large step comes in several batches.
     * {@code step} counts the engine's steps.
     */
    record StepBatch(ActorRef<ReplicaCommand> producer, long step, List<Entry> entries) implements StreamEvent {
        public StepBatch {
            entries = List.copyOf(entries);
        }
    }

    /**
     * Entries of {@code choice} from {@code fromIndex} on were asked for again, and the first of them is kept no longer:
     * only another attempt can make it.
     */
    record EntriesForgotten(Attempt attempt, int choice, int fromIndex) implements StreamEvent {
        public EntriesForgotten {
            if (choice < 0 || fromIndex < 0) {
                throw new IllegalArgumentException("negative choice or index of forgotten entries");
            }
        }
    }

    /**
     * The producer is about to stop: it goes on feeding what it feeds for a while, in which the edge moves its streams to other
     * replicas, at a pace that is the edge's.
     */
    record HandOver(ActorRef<ReplicaCommand> producer) implements StreamEvent {
        public HandOver {
            Objects.requireNonNull(producer);
        }
    }

    /** Sent every heartbeat interval while this edge has live attempts, queued and in prefill too. */
    record Heartbeat(ActorRef<ReplicaCommand> producer, long step, List<Attempt> live) implements StreamEvent {
        public Heartbeat {
            live = List.copyOf(live);
        }
    }
}
