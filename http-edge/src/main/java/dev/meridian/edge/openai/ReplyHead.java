package dev.meridian.edge.openai;

import dev.meridian.protocol.Priority;
import org.jspecify.annotations.Nullable;

/**
 * What every chunk of a reply repeats.
 *
 * @param id with its dialect's prefix
 * @param fingerprint changes when the bundle, its context or its vocabulary does; a hint that a seed's reply may differ
 * @param tier the class that the request was served in; null where it named none, and then nothing is said
 */
public record ReplyHead(
        String id,
        long createdEpochSeconds,
        String model,
        String fingerprint,
        @Nullable Priority tier) {
    /** From the opening brace to just before {@code "choices"}. */
    void writeTo(JsonBuffer json, String object) {
        json.raw("{\"id\":").quoted(id);
        json.raw(",\"object\":").quoted(object);
        json.raw(",\"created\":").number(createdEpochSeconds);
        json.raw(",\"model\":").quoted(model);
        json.raw(",\"system_fingerprint\":").quoted(fingerprint);
        if (tier != null) {
            json.raw(",\"service_tier\":").quoted(tier.wireName());
        }
        json.raw(",");
    }
}
