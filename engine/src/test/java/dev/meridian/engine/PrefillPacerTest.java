package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A simulated machine: a pass costs a fixed part and one for each token, and now and then something else runs. */
class PrefillPacerTest {
    private static final double STRETCH = 2.4;
    private static final int FULL = 128;

    private final PrefillPacer pacer = new PrefillPacer(FULL, STRETCH);

    /** Nanoseconds of a whole step; {@code noise} multiplies both of its parts. */
    private long step(long decodeNanos, long fixedNanos, long tokenNanos, double decodeNoise, double prefillNoise) {
        long decode = (long) (decodeNanos * decodeNoise);
        pacer.decoded(decode);
        int tokens = pacer.chunk();
        assertThat(pacer.hasRoom()).isTrue();
        long prefill = (long) ((fixedNanos + tokens * tokenNanos) * prefillNoise);
        pacer.prefilled(tokens, prefill);
        return decode + prefill;
    }

    @Test
    void theFullChunkRunsWhileNothingDecodes() {
        for (int i = 0; i < 100; i++) {
            step(20_000, 10_000, 5_000, 1, 1);
        }
        assertThat(pacer.chunk()).isLessThan(FULL);
        pacer.nothingDecoded();
        assertThat(pacer.chunk()).isEqualTo(FULL);
        pacer.prefilled(FULL, 700_000);
        assertThat(pacer.hasRoom()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        // decode, fixed part of a prefill pass, each of its tokens, the most that fits
        "20_000, 10_000, 5_000, 3",
        "20_000, 10_000, 1_000, 16",
        "113_000, 10_000, 5_000, 24",
        "200, 100, 60, 3",
        "1_000_000, 1_000, 1_000, 128",
        "10_000, 50_000, 5_000, 1",
    })
    void findsTheLargestSizeThatFitsAndStaysThere(long decode, long fixed, long token, int expected) {
        pacer.nothingDecoded();
        pacer.prefilled(FULL, fixed + FULL * token);
        for (int i = 0; i < 200; i++) {
            step(decode, fixed, token, 1, 1);
        }
        for (int i = 0; i < 200; i++) {
            step(decode, fixed, token, 1, 1);
            assertThat(pacer.chunk()).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void ninetyNineOfAHundredStepsAreWithinTheStretchOnANoisyMachine(long seed) {
        Random random = new Random(seed);
        long decode = 5_000L + random.nextInt(100_000);
        long fixed = random.nextInt((int) decode);
        long token = 1L + random.nextInt((int) (decode / 4));
        int steps = 20_000;
        int late = 0;
        TreeSet<Integer> sizes = new TreeSet<>();
        pacer.nothingDecoded();
        pacer.prefilled(FULL, fixed + FULL * token);
        for (int i = 0; i < steps; i++) {
            // One pass in fifty is three times as slow; that one is not the pacer's fault, and is told apart.
            boolean hiccup = random.nextInt(50) == 0;
            double noise = 0.97 + random.nextDouble() * 0.06;
            long took = step(decode, fixed, token, noise, hiccup ? 3 * noise : noise);
            sizes.add(pacer.chunk());
            late += !hiccup && took > 3 * decode ? 1 : 0;
        }
        assertThat(late)
                .as("seed %d: decode %d, fixed %d, token %d, sizes %s", seed, decode, fixed, token, sizes)
                .isLessThan(steps / 100);
        assertThat(sizes).hasSizeLessThan(12);
    }

    /** Nanoseconds of a step whose decode and prefill are one pass: prefill adds its tokens' cost, and no fixed part. */
    private long together(int decoding, long decodeNanos, long tokenNanos, double noise) {
        int tokens = pacer.chunkBeside(decoding);
        long nanos = (long) ((decodeNanos + tokens * tokenNanos) * noise);
        pacer.ranTogether(decoding, tokens, nanos);
        return nanos;
    }

    @Test
    void inOnePassPrefillTakesWhatTheStretchLeavesAndDecodeIsMeasuredNowAndThen() {
        assertThat(pacer.chunkBeside(3)).as("decode is not known yet").isZero();
        int alone = 0;
        for (int i = 0; i < 1000; i++) {
            together(3, 100_000, 2_000, 1);
            alone += pacer.chunkBeside(3) == 0 ? 1 : 0;
        }
        assertThat(alone).isBetween(1000 / 20, 1000 / 10);
        together(3, 100_000, 2_000, 1);
        assertThat(pacer.chunkBeside(3)).isIn(0, 64);
        assertThat(pacer.chunkBeside(0)).isEqualTo(FULL);
    }

    @Test
    void inOnePassEachNumberOfSequencesHasItsOwnTime() {
        for (int i = 0; i < 300; i++) {
            together(1, 20_000, 2_000, 1);
            together(8, 120_000, 2_000, 1);
        }
        int late = 0;
        for (int i = 0; i < 300; i++) {
            late += together(1, 20_000, 2_000, 1) > 3 * 20_000 ? 1 : 0;
            together(8, 120_000, 2_000, 1);
        }
        assertThat(late).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void inOnePassStepsStayWithinTheStretchOnANoisyMachine(long seed) {
        Random random = new Random(seed);
        int late = 0;
        for (int i = 0; i < 10_000; i++) {
            double noise = 0.97 + random.nextDouble() * 0.06;
            late += together(4, 50_000, 3_000, noise) > 150_000 ? 1 : 0;
        }
        assertThat(late).isLessThan(100);
    }

    @Test
    void followsABatchThatShrinks() {
        for (int i = 0; i < 200; i++) {
            step(113_000, 10_000, 5_000, 1, 1);
        }
        int large = pacer.chunk();
        for (int i = 0; i < 20; i++) {
            step(20_000, 10_000, 5_000, 1, 1);
        }
        assertThat(large).isEqualTo(24);
        assertThat(pacer.chunk()).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 100, 3000})
    void anySettingOfTheChunkIsTheMostAndCanShrink(int chunk) {
        PrefillPacer odd = new PrefillPacer(chunk, STRETCH);
        for (int i = 0; i < 100; i++) {
            odd.decoded(100_000_000);
            odd.prefilled(odd.chunk(), odd.chunk() * 10L);
        }
        assertThat(odd.chunk()).isEqualTo(Math.min(chunk, 2048));
        for (int i = 0; i < 100; i++) {
            odd.decoded(1_000);
            odd.prefilled(odd.chunk(), odd.chunk() * 1_000L);
        }
        assertThat(odd.chunk()).isEqualTo(1);
    }

    @Test
    void severalShortPromptsShareAStepWhileItHasRoom() {
        pacer.decoded(100_000);
        int passes = 0;
        while (pacer.hasRoom()) {
            pacer.prefilled(1, 30_000);
            passes++;
        }
        assertThat(passes).isEqualTo(4);
    }
}
