package dev.meridian.protocol.cluster;

/**
 * A model that a node can serve, as the others need to know it.
 *
 * @param id the name in requests
 * @param digest of its bundle, {@value ReplicaId#DIGEST_LENGTH} hexadecimal digits: equal digests are equal weights
 * @param contextTokens the most tokens of prompt and reply together
 * @param vocabSize token ids are below this
 * @param createdEpochSeconds when the bundle was made
 * @param weights how they are stored, for example {@code int4}
 * @param neededBytes native bytes that are set aside before it is loaded, KV caches among them
 * @param residency what the node that tells of it was configured with
 */
public record ModelInfo(
        String id,
        String digest,
        int contextTokens,
        int vocabSize,
        long createdEpochSeconds,
        String weights,
        long neededBytes,
        Residency residency) {
    public ModelInfo {
        if (contextTokens < 1 || vocabSize < 1 || neededBytes < 0) {
            throw new IllegalArgumentException("model '" + id + "' with " + contextTokens + " tokens of context, "
                    + vocabSize + " in vocabulary, " + neededBytes + " bytes");
        }
    }

    /** The same with another residency. */
    public ModelInfo with(Residency other) {
        return new ModelInfo(id, digest, contextTokens, vocabSize, createdEpochSeconds, weights, neededBytes, other);
    }
}
