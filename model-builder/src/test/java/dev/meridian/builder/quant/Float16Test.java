package dev.meridian.builder.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Float16Test {
    private static final int INFINITY = 0x7c00;

    private static int encoded(float value) {
        ByteBuffer bytes = ByteBuffer.allocate(2);
        Float16.put(new float[] {value}, 1, bytes);
        return bytes.order(ByteOrder.LITTLE_ENDIAN).getShort(0) & 0xffff;
    }

    /** What 16 bits stand for, by the standard's formula. */
    private static double decoded(int bits) {
        int exponent = bits >> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        double magnitude = exponent == 0 ? Math.scalb(fraction, -24) : Math.scalb(1024 + fraction, exponent - 25);
        return bits >> 15 == 0 ? magnitude : -magnitude;
    }

    @Test
    void everyFiniteValueComesBackAsItWas() {
        float[] values = new float[1 << 16];
        for (int bits = 0; bits < values.length; bits++) {
            values[bits] = (bits & INFINITY) == INFINITY ? 0 : (float) decoded(bits);
        }
        ByteBuffer bytes = ByteBuffer.allocate(2 * values.length);
        Float16.put(values, values.length, bytes);
        assertThat(bytes.position()).isEqualTo(bytes.limit());
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < values.length; bits++) {
            int expected = (bits & INFINITY) == INFINITY ? 0 : bits;
            assertThat(bytes.getShort(2 * bits) & 0xffff).isEqualTo(expected);
        }
        assertThat(Float16.firstOverflow(values, 0, values.length)).isEqualTo(-1);
    }

    /** Of the two neighbours the nearer, of two that are as near the one whose last bit is 0. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void valuesBetweenAreRoundedToTheNearestAndTiesToEven(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 200_000; i++) {
            int lower = random.nextInt(INFINITY - 1);
            double middle = (decoded(lower) + decoded(lower + 1)) / 2;
            float value = (float)
                    switch (i % 4) {
                        case 0 -> middle;
                        case 1 -> Math.nextUp((float) middle);
                        case 2 -> Math.nextDown((float) middle);
                        default -> decoded(lower) + random.nextDouble() * (decoded(lower + 1) - decoded(lower));
                    };
            int even = lower % 2 == 0 ? lower : lower + 1;
            int expected = value < middle ? lower : value > middle ? lower + 1 : even;
            assertThat(encoded(value)).as("seed %d: %s", seed, value).isEqualTo(expected);
            assertThat(encoded(-value)).as("seed %d: -%s", seed, value).isEqualTo(expected | 0x8000);
        }
    }

    @ParameterizedTest
    @CsvSource({"65504, -1", "65519.996, -1", "65520, 2", "-65520, 2", "3e38, 2", "NaN, 2", "-Infinity, 2", "1e-45, -1"
    })
    void whatWouldBecomeInfiniteIsFound(float value, int expected) {
        float[] values = {1e9f, 0, value, 0, 1e9f};
        assertThat(Float16.firstOverflow(values, 1, 4)).isEqualTo(expected);
        if (expected < 0) {
            assertThat(encoded(value) & 0x7fff).isLessThan(INFINITY);
        } else if (!Float.isNaN(value)) {
            assertThat(encoded(value) & 0x7fff).isEqualTo(INFINITY);
        }
    }
}
