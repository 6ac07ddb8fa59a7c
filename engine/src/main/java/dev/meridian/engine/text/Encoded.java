package dev.meridian.engine.text;

import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;

/** What became of a prompt. */
public sealed interface Encoded {
    record Ids(TokenIds ids) implements Encoded {}

    record Refused(Refusal reason) implements Encoded {}
}
