package dev.meridian.edge.stream;

import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import java.time.Duration;
import java.util.Objects;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * A checked request on its way to a replica.
 *
 * @param id unique in the cluster; the id of every attempt
 * @param contextTokens the model's context, which bounds every choice
 * @param receivedNanos when the request arrived, on the mux's clock
 * @param timeLimit from now to the deadline
 * @param deadlineEpochMillis the same deadline as a wall-clock time, for replicas elsewhere
 * @param residency where its words may go
 * @param cacheScope requests of one scope may use each other's KV caches
 * @param probe a health check: not counted in any of the edge's metrics
 * @param onlyAt the one host that a probe is about; null for any, and of all that is no probe
 */
public record StreamRequest(
        String id,
        String model,
        Prompt prompt,
        Generation generation,
        int contextTokens,
        long receivedNanos,
        Duration timeLimit,
        long deadlineEpochMillis,
        Residency residency,
        long cacheScope,
        boolean probe,
        @Nullable ActorRef<ReplicaCommand> onlyAt) {
    public StreamRequest {
        Objects.requireNonNull(id);
        Objects.requireNonNull(model);
        Objects.requireNonNull(prompt);
        Objects.requireNonNull(generation);
        Objects.requireNonNull(timeLimit);
        Objects.requireNonNull(residency);
    }

    /** The same with less time from now on. */
    StreamRequest within(Duration left) {
        return new StreamRequest(
                id,
                model,
                prompt,
                generation,
                contextTokens,
                receivedNanos,
                left,
                deadlineEpochMillis,
                residency,
                cacheScope,
                probe,
                onlyAt);
    }

    /** The most tokens that one choice can get. */
    public int maxTokensPerChoice() {
        return maxTokensPerChoice(contextTokens);
    }

    /** The most tokens that one choice can get where the prompt leaves {@code room}. */
    int maxTokensPerChoice(int room) {
        return generation.maxTokens() == 0 ? room : Math.min(room, generation.maxTokens());
    }

    /** What the journal needs at most for {@code tokens}, unless their texts are uncommonly long. */
    long journalBytes(long tokens) {
        return tokens * Journal.bytesPerToken(generation.topLogprobs());
    }

    /** The same for all that the request can bring. */
    long worstJournalBytes() {
        return journalBytes((long) generation.choices() * maxTokensPerChoice());
    }
}
