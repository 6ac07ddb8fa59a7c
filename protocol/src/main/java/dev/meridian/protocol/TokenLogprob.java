package dev.meridian.protocol;

import java.util.Objects;

/**
 * A token with its natural-log probability under the model's distribution before sampling filters.
 *
 * @param text the token's bytes as UTF-8, with U+FFFD where they are no whole character
 * @param bytes the token's bytes in hexadecimal: a token may hold a part of a character
 */
public record TokenLogprob(int tokenId, String text, String bytes, float logprob) {
    /** Estimated heap bytes of one without text. */
    public static final int HEAP_BYTES = 140;

    public TokenLogprob {
        Objects.requireNonNull(text);
        Objects.requireNonNull(bytes);
    }

    /** Estimated heap bytes, of objects with compressed references. */
    public long heapBytes() {
        return HEAP_BYTES + text.length() + (long) bytes.length();
    }

    /** The id alone would tell the text, too: replies never reach a log. */
    @Override
    public String toString() {
        return "TokenLogprob[" + text.length() + " chars]";
    }
}
