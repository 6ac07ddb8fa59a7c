package dev.meridian.edge;

import dev.meridian.protocol.cluster.Residency;

/**
 * A model that clients can name.
 *
 * @param id the name in requests
 * @param contextTokens the most tokens of prompt and reply together, at least 1
 * @param vocabSize token ids are below this, at least 1
 * @param createdEpochSeconds when the bundle was made, as {@code /v1/models} shows it
 * @param residency where its requests may go
 */
public record ServedModel(String id, int contextTokens, int vocabSize, long createdEpochSeconds, Residency residency) {
    public ServedModel {
        if (id.isEmpty() || contextTokens < 1 || vocabSize < 1) {
            throw new IllegalArgumentException(
                    "model '" + id + "' with " + contextTokens + " tokens of context, " + vocabSize + " in vocabulary");
        }
    }
}
