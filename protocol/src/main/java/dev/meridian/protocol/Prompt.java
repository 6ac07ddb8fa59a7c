package dev.meridian.protocol;

import java.util.List;
import java.util.Objects;

/** What a generation starts from. */
public sealed interface Prompt {
    /** Turns that the model's chat template renders; the last one is usually the user's. */
    record Chat(List<ChatMessage> messages) implements Prompt {
        public Chat {
            messages = List.copyOf(messages);
            if (messages.isEmpty()) {
                throw new IllegalArgumentException("a chat needs at least one message");
            }
        }
    }

    /** Raw text: special tokens written in it are special, and the tokenizer's own prefix (BOS) is added. */
    record Text(String text) implements Prompt {
        public Text {
            Objects.requireNonNull(text);
        }

        /** The length only: prompts never reach a log. */
        @Override
        public String toString() {
            return "Text[" + text.length() + " chars]";
        }
    }

    /** Ready ids: of a client that tokenises itself, or of an earlier attempt's {@code Accepted}. */
    record Tokens(TokenIds ids) implements Prompt {
        public Tokens {
            Objects.requireNonNull(ids);
        }
    }
}
