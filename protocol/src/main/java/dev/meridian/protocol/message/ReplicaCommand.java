package dev.meridian.protocol.message;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.TokenIds;
import java.util.List;
import java.util.Objects;
import org.apache.pekko.actor.typed.ActorRef;

/** What an edge asks of a replica, or of the producer named in {@link StreamEvent.Accepted}. */
public sealed interface ReplicaCommand {
    Attempt attempt();

    /**
     * Generate. Answered by {@link StreamEvent.Accepted} or {@link StreamEvent.Refused} at {@code edge}.
     *
     * @param epoch generation of the pin by which the edge knows the replica, 0 where it knows none: who serves by an older
     *     one may have lost the replica without knowing it, and refuses
     * @param emitted per choice the tokens that the client has already got, from earlier attempts; empty lists on the first
     * @param finished per choice whether it had already ended; such a choice is not generated again
     * @param cacheScope requests of one scope may use each other's KV caches; says nothing of who they are
     * @param deadlineEpochMillis wall-clock time after which nobody waits for the result
     */
    record Submit(
            Attempt attempt,
            String model,
            long epoch,
            Prompt prompt,
            Generation generation,
            List<TokenIds> emitted,
            List<Boolean> finished,
            long cacheScope,
            long deadlineEpochMillis,
            ActorRef<StreamEvent> edge)
            implements ReplicaCommand {
        public Submit {
            Objects.requireNonNull(attempt);
            Objects.requireNonNull(model);
            Objects.requireNonNull(prompt);
            Objects.requireNonNull(edge);
            if (epoch < 0) {
                throw new IllegalArgumentException("negative epoch");
            }
            emitted = List.copyOf(emitted);
            finished = List.copyOf(finished);
            if (emitted.size() != generation.choices() || finished.size() != generation.choices()) {
                throw new IllegalArgumentException(
                        "emitted and finished need one element for each of the " + generation.choices() + " choices");
            }
        }
    }

    /** Stop an attempt: its client left, or another attempt took over. Idempotent; an unknown attempt is ignored. */
    record Cancel(Attempt attempt) implements ReplicaCommand {}

    /**
     * Entries of {@code choice} from {@code fromIndex} on did not arrive: send them again. Answered by
     * {@link StreamEvent.EntriesForgotten} where the attempt is known and its first missing entry is kept no longer; of an
     * attempt that is not known the heartbeats say nothing, and its edge moves on.
     */
    record Resend(Attempt attempt, int choice, int fromIndex) implements ReplicaCommand {}
}
