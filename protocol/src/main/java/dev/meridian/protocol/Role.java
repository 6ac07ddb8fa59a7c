package dev.meridian.protocol;

import java.util.Locale;

/** Who speaks in a chat message. */
public enum Role {
    SYSTEM,
    /** OpenAI's later name of the system role; templates that do not know it render it as system. */
    DEVELOPER,
    USER,
    ASSISTANT;

    /** The name used in requests and in chat templates, for example {@code user}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
