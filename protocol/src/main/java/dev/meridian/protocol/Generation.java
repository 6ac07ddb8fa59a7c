package dev.meridian.protocol;

import java.util.List;
import java.util.Objects;

/**
 * What a request asks to be generated from its prompt.
 *
 * @param sampling how each token is chosen
 * @param choices how many independent continuations, 1 to {@value #MAX_CHOICES}
 * @param maxTokens the most tokens per choice; 0 means as many as the context holds
 * @param stop a choice ends before the first of these texts, which is never emitted; at most {@value #MAX_STOPS}
 * @param topLogprobs -1 for none; else each token carries its log-probability and those of this many best alternatives,
 *     at most {@value #MAX_TOP_LOGPROBS}
 * @param priority the class that it waits in
 */
public record Generation(
        Sampling sampling, int choices, int maxTokens, List<String> stop, int topLogprobs, Priority priority) {
    public static final int MAX_CHOICES = 128;
    public static final int MAX_STOPS = 16;
    public static final int MAX_TOP_LOGPROBS = 20;

    public Generation {
        Objects.requireNonNull(sampling);
        Objects.requireNonNull(priority);
        stop = List.copyOf(stop);
        if (choices < 1 || choices > MAX_CHOICES) {
            throw new IllegalArgumentException("choices " + choices + ", expected 1 to " + MAX_CHOICES);
        }
        if (maxTokens < 0) {
            throw new IllegalArgumentException("maxTokens " + maxTokens + " is negative");
        }
        if (stop.size() > MAX_STOPS || stop.contains("")) {
            throw new IllegalArgumentException("stop: at most " + MAX_STOPS + " texts, none of them empty");
        }
        if (topLogprobs < -1 || topLogprobs > MAX_TOP_LOGPROBS) {
            throw new IllegalArgumentException("topLogprobs " + topLogprobs + ", expected -1 to " + MAX_TOP_LOGPROBS);
        }
    }

    /** With standard priority. */
    public Generation(Sampling sampling, int choices, int maxTokens, List<String> stop, int topLogprobs) {
        this(sampling, choices, maxTokens, stop, topLogprobs, Priority.STANDARD);
    }

    /** Without the stop texts, which clients write: they never reach a log. */
    @Override
    public String toString() {
        return "Generation[sampling=" + sampling + ", choices=" + choices + ", maxTokens=" + maxTokens + ", stop="
                + stop.size() + " texts, topLogprobs=" + topLogprobs + ", priority=" + priority + "]";
    }
}
