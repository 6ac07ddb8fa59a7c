package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FastExpTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void isWithinThreeTenMillionthsOfTheTruth(long seed) {
        Random random = new Random(seed);
        float[] from = new float[200_000];
        for (int i = 0; i < from.length; i++) {
            from[i] = -86.9f * random.nextFloat();
        }
        from[0] = 0f;
        float[] to = new float[from.length];
        FastExp.apply(from, 0f, 1f, to);
        assertThat(to[0]).isEqualTo(1f);
        for (int i = 0; i < from.length; i++) {
            double truth = Math.exp(from[i]);
            assertThat(to[i] / truth).as("exp(%s)", from[i]).isCloseTo(1.0, within(3e-7));
        }
    }

    @org.junit.jupiter.api.Test
    void vanishesFarBelowZero() {
        float[] from = {-88f, -1e30f, Float.NEGATIVE_INFINITY, -87.5f};
        float[] to = new float[from.length];
        FastExp.apply(from, 0f, 1f, to);
        assertThat(to).containsOnly(0f);
    }
}
