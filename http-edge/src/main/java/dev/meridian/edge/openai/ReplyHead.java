package dev.meridian.edge.openai;

/**
 * What every chunk of a reply repeats.
 *
 * @param id with its dialect's prefix
 * @param fingerprint changes when the bundle, its context or its vocabulary does; a hint that a seed's reply may differ
 */
public record ReplyHead(String id, long createdEpochSeconds, String model, String fingerprint) {
    /** From the opening brace to just before {@code "choices"}. */
    void writeTo(JsonBuffer json, String object) {
        json.raw("{\"id\":").quoted(id);
        json.raw(",\"object\":").quoted(object);
        json.raw(",\"created\":").number(createdEpochSeconds);
        json.raw(",\"model\":").quoted(model);
        json.raw(",\"system_fingerprint\":").quoted(fingerprint);
        json.raw(",");
    }
}
