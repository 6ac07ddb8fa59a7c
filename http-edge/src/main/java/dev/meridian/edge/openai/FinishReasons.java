package dev.meridian.edge.openai;

import dev.meridian.protocol.FinishReason;
import org.jspecify.annotations.Nullable;

/** OpenAI's names of the ways in which a choice ends. */
final class FinishReasons {
    private FinishReasons() {}

    /** As a JSON value. */
    static String quoted(@Nullable FinishReason reason) {
        return switch (reason) {
            case null -> "null";
            case STOP -> "\"stop\"";
            case LENGTH -> "\"length\"";
        };
    }
}
