package dev.meridian.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StopMatcherTest {
    static LongStream seeds() {
        return LongStream.range(0, 200);
    }

    private static String letters(Random random, int length) {
        StringBuilder text = new StringBuilder();
        random.ints(length, 0, 3).forEach(i -> text.append("ab🙂", i, i == 2 ? 4 : i + 1));
        return text.toString();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void howTheTextIsCutDoesNotMatter(long seed) {
        Random random = new Random(seed);
        List<String> stops = IntStream.range(0, 1 + random.nextInt(4))
                .mapToObj(_ -> letters(random, 1 + random.nextInt(6)))
                .toList();
        String text = letters(random, 60);
        // The stop that is complete first, and the longest of those.
        int end = stops.stream()
                .filter(text::contains)
                .mapToInt(stop -> text.indexOf(stop) + stop.length())
                .min()
                .orElse(-1);
        int start = stops.stream()
                .filter(stop -> end >= 0 && text.contains(stop) && text.indexOf(stop) + stop.length() == end)
                .mapToInt(text::indexOf)
                .min()
                .orElse(text.length());
        int longest = stops.stream().mapToInt(String::length).max().orElse(0);
        for (int round = 0; round < 20; round++) {
            StopMatcher matcher = new StopMatcher(stops);
            StringBuilder out = new StringBuilder();
            int at = 0;
            boolean stopped = false;
            while (at < text.length()) {
                int to = Math.min(text.length(), at + 1 + random.nextInt(7));
                out.append(matcher.append(text.substring(at, to)));
                stopped = matcher.stopped();
                at = to;
                assertThat(stopped || at - out.length() < longest).isTrue();
            }
            out.append(matcher.flush());
            assertThat(out.toString()).as("stops %s in %s", stops, text).isEqualTo(text.substring(0, start));
            assertThat(stopped).isEqualTo(end >= 0);
        }
    }

    @Test
    void aPrefixOfAStopIsHeldUntilItIsNone() {
        StopMatcher matcher = new StopMatcher(List.of("STOP"));
        assertThat(List.of(matcher.append("xST"), matcher.append("S"), matcher.append("TO")))
                .containsExactly("x", "ST", "");
        assertThat(matcher.stopped()).isFalse();
        assertThat(List.of(matcher.append("Px"), matcher.append("more"))).containsExactly("", "");
        assertThat(matcher.stopped()).isTrue();
        assertThat(matcher.flush()).isEmpty();
    }

    @Test
    void withoutStopsNothingIsHeld() {
        assertThat(new StopMatcher(List.of()).append("abc")).isEqualTo("abc");
    }

    @Test
    void anEmptyStopIsRefused() {
        assertThatThrownBy(() -> new StopMatcher(List.of("a", ""))).isInstanceOf(IllegalArgumentException.class);
    }
}
