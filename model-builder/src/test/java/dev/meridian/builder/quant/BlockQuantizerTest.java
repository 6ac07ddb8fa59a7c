package dev.meridian.builder.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BlockQuantizerTest {
    private static final int ROWS = 200;
    private static final int COLUMNS = 80;

    @ParameterizedTest
    @CsvSource({"INT4, 1", "INT4, 2", "INT4, 3", "INT8, 1", "INT8, 2", "INT8, 3"})
    void noBlockErrsMoreThanPlainScaling(Weights weights, long seed) {
        double[] values = heavyTailed(seed);
        double[] searched = Dequantizer.roundTrip(weights, values, COLUMNS);
        double[] plain = plain(weights, values);
        double searchedTotal = 0;
        double plainTotal = 0;
        for (int row = 0; row < ROWS; row++) {
            for (int from = 0; from < COLUMNS; from += 32) {
                int at = row * COLUMNS + from;
                int count = Math.min(32, COLUMNS - from);
                double error = squaredError(values, searched, at, count);
                double plainError = squaredError(values, plain, at, count);
                // Scales are compared before they are rounded to float16, which moves each weight by 2^-11 at most.
                assertThat(Math.sqrt(error))
                        .as("row %d column %d", row, from)
                        .isLessThanOrEqualTo(Math.sqrt(plainError) * (1 + 1e-5) + norm(values, at, count) / 2048);
                searchedTotal += error;
                plainTotal += plainError;
            }
        }
        assertThat(searchedTotal / plainTotal)
                .as("share of the plain error that is left")
                .isLessThan(0.9);
    }

    @ParameterizedTest
    @EnumSource(names = {"INT8", "INT4"})
    void valuesOnTheGridComeBackExactly(Weights weights) {
        int levels = 1 << (weights.bits() - 1);
        double[] values = new double[64];
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.5 * (i % 32 == 0 ? -levels : i % 32 % levels);
        }
        assertThat(Dequantizer.roundTrip(weights, values, 64)).containsExactly(values);
    }

    @ParameterizedTest
    @EnumSource(names = {"INT8", "INT4"})
    void zerosTinyAndHugeBlocksStayFinite(Weights weights) {
        double[] values = new double[96];
        Arrays.fill(values, 32, 64, 1e-40f);
        Arrays.fill(values, 64, 96, -3e5f);
        double[] back = Dequantizer.roundTrip(weights, values, 96);
        assertThat(Arrays.copyOf(back, 64)).containsOnly(0.0);
        for (int i = 64; i < 96; i++) {
            assertThat(back[i] / -3e5).isBetween(0.99, 1.01);
        }
    }

    @Test
    void paddingOfTheLastBlockStandsForZero() {
        byte[] codes = new byte[64];
        float[] scales = new float[2];
        float[] row = new float[40];
        Arrays.fill(row, 1.5f);
        new BlockQuantizer(Weights.INT8).quantize(row, 1, 40, codes, scales);
        assertThat(Arrays.copyOfRange(codes, 40, 64)).containsOnly((byte) 128);
    }

    @Test
    void resultDoesNotDependOnWhatIsQuantisedBeside() {
        double[] values = heavyTailed(9);
        double[] together = Dequantizer.roundTrip(Weights.INT4, values, COLUMNS);
        double[] alone =
                Dequantizer.roundTrip(Weights.INT4, Arrays.copyOfRange(values, 150 * COLUMNS, 151 * COLUMNS), COLUMNS);
        assertThat(alone).containsExactly(Arrays.copyOfRange(together, 150 * COLUMNS, 151 * COLUMNS));
    }

    private static double[] heavyTailed(long seed) {
        Random random = new Random(seed);
        double[] values = new double[ROWS * COLUMNS];
        for (int i = 0; i < values.length; i++) {
            double gaussian = random.nextGaussian();
            values[i] = (float) (0.02 * gaussian * (random.nextInt(50) == 0 ? 4 : 1));
        }
        return values;
    }

    private static double[] plain(Weights weights, double[] values) {
        int high = (1 << (weights.bits() - 1)) - 1;
        double[] rounded = new double[values.length];
        for (int row = 0; row < ROWS; row++) {
            for (int from = 0; from < COLUMNS; from += 32) {
                double largest = 0;
                int end = row * COLUMNS + Math.min(from + 32, COLUMNS);
                for (int i = row * COLUMNS + from; i < end; i++) {
                    largest = Math.max(largest, Math.abs(values[i]));
                }
                float scale = (float) largest / high;
                for (int i = row * COLUMNS + from; i < end; i++) {
                    rounded[i] = (double) scale * Math.rint(values[i] / scale);
                }
            }
        }
        return rounded;
    }

    private static double norm(double[] values, int from, int count) {
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            sum += values[i] * values[i];
        }
        return Math.sqrt(sum);
    }

    private static double squaredError(double[] values, double[] rounded, int from, int count) {
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            sum += (values[i] - rounded[i]) * (values[i] - rounded[i]);
        }
        return sum;
    }
}
