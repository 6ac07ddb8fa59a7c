package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SpeculationTest {
    private final Speculation speculation = new Speculation();

    /** What is guessed after {@code tokens}, once it has been right often enough to guess the most. */
    private int[] guess(int most, int... tokens) {
        speculation.checked(2, 2);
        speculation.checked(4, 4);
        int[] into = new int[Speculation.MOST];
        // Behind the length stands what must not count.
        int[] longer = Arrays.copyOf(tokens, tokens.length + 5);
        return Arrays.copyOf(into, speculation.guess(longer, tokens.length, most, into));
    }

    @Test
    void saysWhatFollowedTheSameTokens() {
        assertThat(guess(3, 1, 2, 3, 4, 5, 6, 9, 2, 3)).containsExactly(4, 5, 6);
    }

    @Test
    void aLongerMatchBeatsANewerOneAndANewerOneItsEqual() {
        assertThat(guess(1, 7, 2, 3, 50, 2, 3, 60, 7, 2, 3)).containsExactly(50);
        assertThat(guess(1, 8, 2, 3, 50, 2, 3, 60, 7, 2, 3)).containsExactly(60);
    }

    @Test
    void oneTokenIsNoMatch() {
        assertThat(guess(4, 1, 2, 3, 4, 9, 3)).isEmpty();
        assertThat(guess(4, 3, 3)).isEmpty();
        assertThat(guess(4, 3)).isEmpty();
    }

    @Test
    void aShortPeriodGoesOn() {
        assertThat(guess(7, 1, 5, 6, 5, 6)).containsExactly(5, 6, 5, 6, 5, 6, 5);
        assertThat(guess(4, 9, 9, 9)).containsExactly(9, 9, 9, 9);
    }

    @Test
    void findsWhatASearchByHandFinds() {
        Random random = new Random(5);
        for (int round = 0; round < 2_000; round++) {
            int[] tokens = random.ints(1 + random.nextInt(60), 0, 2 + random.nextInt(4))
                    .toArray();
            int[] guessed = guess(1, tokens);
            assertThat(guessed.length == 0 ? -1 : guessed[0])
                    .as("after %s", Arrays.toString(tokens))
                    .isEqualTo(bestByHand(tokens));
        }
    }

    private static int bestByHand(int[] tokens) {
        for (int match = 6; match >= 2; match--) {
            for (int end = tokens.length - 1; end >= match; end--) {
                if (Arrays.equals(
                        tokens, end - match, end, tokens, Math.max(0, tokens.length - match), tokens.length)) {
                    return tokens[end];
                }
            }
        }
        return -1;
    }

    @Test
    void guessesMoreWhileTheyAreRightAndHardlyAnyWhileTheyAreWrong() {
        int[] tokens = {1, 2, 1, 2, 1, 2};
        int[] into = new int[Speculation.MOST];
        int most = 0;
        for (int i = 0; i < 5; i++) {
            most = speculation.guess(tokens, tokens.length, Speculation.MOST, into);
            speculation.checked(most, most);
        }
        assertThat(most).isEqualTo(Speculation.MOST);
        int guesses = 0;
        for (int i = 0; i < 1_000; i++) {
            int guessed = speculation.guess(tokens, tokens.length, Speculation.MOST, into);
            guesses += guessed;
            if (guessed > 0) {
                speculation.checked(guessed, 0);
            }
        }
        assertThat(guesses).isBetween(5, 40);
        for (int i = 0; i < 600; i++) {
            int guessed = speculation.guess(tokens, tokens.length, Speculation.MOST, into);
            if (guessed > 0) {
                speculation.checked(guessed, guessed);
            }
        }
        assertThat(speculation.guess(tokens, tokens.length, Speculation.MOST, into))
                .isEqualTo(Speculation.MOST);
    }

    @Test
    void partOfAGuessSetsHowManyComeNext() {
        guess(8, 1, 2, 1, 2);
        speculation.checked(8, 3);
        int[] into = new int[Speculation.MOST];
        assertThat(speculation.guess(new int[] {1, 2, 1, 2}, 4, 8, into)).isEqualTo(4);
    }
}
