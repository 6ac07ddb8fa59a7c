package dev.meridian.protocol;

import java.util.Objects;

/** One turn of a chat; {@code content} is text that a client typed and is never parsed for special tokens. */
public record ChatMessage(Role role, String content) {
    public ChatMessage {
        Objects.requireNonNull(role);
        Objects.requireNonNull(content);
    }

    /** Lengths only: prompts never reach a log. */
    @Override
    public String toString() {
        return "ChatMessage[" + role.wireName() + ", " + content.length() + " chars]";
    }
}
