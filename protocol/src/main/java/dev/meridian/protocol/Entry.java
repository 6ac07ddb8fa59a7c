package dev.meridian.protocol;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One generated token of one choice, with the text that it made ready.
 *
 * @param choice 0 to n-1
 * @param index counts a choice's tokens from 0 across attempts: attempt 2 goes on where attempt 1 stopped
 * @param text ready text, always whole characters; empty while a character is incomplete or a stop text may be forming
 * @param logprob null unless asked for; this token, then its best alternatives in falling order
 * @param finish null but on a choice's last entry
 * @param timings null but on the first entry that an attempt makes of a choice, whose decode time is 0, and on the
 *     choice's last one
 */
public record Entry(
        Attempt attempt,
        int choice,
        int index,
        int tokenId,
        String text,
        @Nullable TokenLogprob logprob,
        List<TokenLogprob> alternatives,
        @Nullable FinishReason finish,
        @Nullable Timings timings) {
    /** Estimated heap bytes of an entry without text: the record, a list slot, its string's header. */
    public static final int HEAP_BYTES = 120;

    public Entry {
        Objects.requireNonNull(attempt);
        Objects.requireNonNull(text);
        alternatives = List.copyOf(alternatives);
        if (choice < 0 || index < 0 || tokenId < 0) {
            throw new IllegalArgumentException("negative choice, index or token in an entry");
        }
    }

    /** Estimated heap bytes, of objects with compressed references. */
    public long heapBytes() {
        long bytes = HEAP_BYTES + 2L * text.length();
        if (logprob != null) {
            bytes += logprob.heapBytes();
            for (TokenLogprob alternative : alternatives) {
                bytes += alternative.heapBytes();
            }
        }
        return bytes;
    }

    /** Position and length only: replies never reach a log. */
    @Override
    public String toString() {
        return "Entry[" + attempt + ", choice " + choice + ", index " + index + ", " + text.length() + " chars, "
                + finish + "]";
    }
}
