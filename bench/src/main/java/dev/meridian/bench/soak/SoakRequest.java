package dev.meridian.bench.soak;

/**
 * One request of the load; its prompt is the same each time its row of the trace comes round.
 *
 * @param row of the trace
 * @param promptTokens what the trace asks for, in the model's scale; exact for ids, about right for chats
 * @param replyTokens the reply's length
 * @param leaveAfter events after which the client leaves; 0 where it stays to the end
 */
record SoakRequest(int row, Kind kind, int promptTokens, int replyTokens, int leaveAfter) {
    enum Kind {
        /** A completion of random token ids, streamed, greedy. */
        IDS_STREAMED("/v1/completions"),
        /** A chat of words, streamed, greedy. */
        CHAT_STREAMED("/v1/chat/completions"),
        /** The same as one reply. */
        CHAT_WHOLE("/v1/chat/completions"),
        /** A chat, streamed, drawn with a fresh seed, which may end early. */
        CHAT_SAMPLED("/v1/chat/completions");

        final String path;

        Kind(String path) {
            this.path = path;
        }

        boolean isChat() {
            return this != IDS_STREAMED;
        }

        boolean isStreamed() {
            return this != CHAT_WHOLE;
        }

        /** Whether the same request gives the same text each time. */
        boolean isGreedy() {
            return this != CHAT_SAMPLED;
        }
    }
}
