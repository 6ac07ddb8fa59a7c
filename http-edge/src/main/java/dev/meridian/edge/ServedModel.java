package dev.meridian.edge;

import dev.meridian.protocol.message.ReplicaCommand;
import java.util.Objects;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * A model that clients can name, and the replica that serves it now.
 *
 * @param id the name in requests
 * @param contextTokens the most tokens of prompt and reply together, at least 1
 * @param vocabSize token ids are below this, at least 1
 * @param createdEpochSeconds when the bundle was made, as {@code /v1/models} shows it
 * @param replica where a Submit goes
 */
public record ServedModel(
        String id, int contextTokens, int vocabSize, long createdEpochSeconds, ActorRef<ReplicaCommand> replica) {
    public ServedModel {
        Objects.requireNonNull(replica);
        if (id.isEmpty() || contextTokens < 1 || vocabSize < 1) {
            throw new IllegalArgumentException(
                    "model '" + id + "' with " + contextTokens + " tokens of context, " + vocabSize + " in vocabulary");
        }
    }
}
