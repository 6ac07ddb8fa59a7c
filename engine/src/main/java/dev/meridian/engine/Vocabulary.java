package dev.meridian.engine;

/** What the engine knows of text: the bytes of tokens and how a sequence's tokens become characters. Safe for any thread. */
public interface Vocabulary {
    int size();

    /** The bytes that a token stands for; the caller must not change them. */
    byte[] bytes(int tokenId);

    /** A fresh decoder for one sequence. */
    TextStream newStream();

    /** Tokens of one sequence in, whole characters out. Not safe for several threads. */
    interface TextStream {
        String append(int tokenId);

        /** What is still held back, an incomplete character as U+FFFD. */
        String flush();
    }
}
