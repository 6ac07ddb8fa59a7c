package dev.meridian.engine;

/**
 * Guesses a sequence's next tokens from what it says already (prompt look-up), and how many guesses are worth a pass. A text
 * that repeats itself, or its prompt, is guessed right for many tokens on end; of any other the guesses are few and seldom.
 * One for each sequence; owned by the engine thread.
 */
final class Speculation {
    /** The most guesses of a step. */
    static final int MOST = 8;

    /** Tokens at the end that must stand somewhere before for what followed there to be a guess. */
    private static final int LEAST_MATCH = 2;
    /** A longer match is as good as this one. */
    private static final int BEST_MATCH = 6;

    private static final int FIRST_PAUSE = 8;
    private static final int LONGEST_PAUSE = 256;

    private int limit = 2;
    private int pause;
    private int nextPause = FIRST_PAUSE;

    /**
     * Guesses at most {@code most} tokens after the first {@code length} of {@code tokens}, into the front of {@code into};
     * returns how many. The longest match counts, among equals the newest. What a match is followed by may reach into the
     * guesses themselves: a text with a short period goes on.
     */
    int guess(int[] tokens, int length, int most, int[] into) {
        int wanted = Math.min(most, limit);
        if (pause > 0) {
            pause--;
            return 0;
        }
        int from = wanted < 1 ? -1 : afterMatch(tokens, length);
        if (from < 0) {
            return 0;
        }
        for (int i = 0; i < wanted; i++) {
            into[i] = from + i < length ? tokens[from + i] : into[from + i - length];
        }
        return wanted;
    }

    /** Where what followed the best match begins, or -1. */
    private static int afterMatch(int[] tokens, int length) {
        int best = LEAST_MATCH - 1;
        int from = -1;
        if (length <= LEAST_MATCH) {
            return -1;
        }
        int last = tokens[length - 1];
        for (int end = length - 2; end >= best && best < BEST_MATCH; end--) {
            if (tokens[end] != last) {
                continue;
            }
            int match = 1;
            while (match < BEST_MATCH && match <= end && tokens[end - match] == tokens[length - 1 - match]) {
                match++;
            }
            if (match > best) {
                best = match;
                from = end + 1;
            }
        }
        return from;
    }

    /** Of {@code guessed} tokens, at least one, the first {@code right} were what the model said. */
    void checked(int guessed, int right) {
        if (right == guessed) {
            limit = Math.min(MOST, limit * 2);
            nextPause = FIRST_PAUSE;
        } else if (right > 0) {
            limit = Math.min(MOST, right + 1);
        } else if (limit > 1) {
            limit /= 2;
        } else {
            pause = nextPause;
            nextPause = Math.min(LONGEST_PAUSE, 2 * nextPause);
        }
    }
}
