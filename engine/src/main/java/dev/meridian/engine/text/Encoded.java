package dev.meridian.engine.text;

import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;

/** A prompt as token ids, or why there are none. */
public sealed interface Encoded {
    /** At least one id, each of the vocabulary. */
    record Ids(TokenIds ids) implements Encoded {}

    record Refused(Refusal reason) implements Encoded {}
}
