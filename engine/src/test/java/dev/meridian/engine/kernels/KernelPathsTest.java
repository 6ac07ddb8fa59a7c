package dev.meridian.engine.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every path that this processor has computes what the plain reference says, and the same bits as the portable one. */
class KernelPathsTest {
    private static final String PORTABLE = "portable";
    private static final int CASES = 12;

    private final NativeKernels kernels = NativeKernels.required();

    /** Random shapes, of which few are multiples of anything. */
    @SuppressWarnings("ArrayRecordComponent") // not copied
    private record Case(int rows, Panels weights, Panels others, float[] x, float @Nullable [] bias) {
        static Case random(SplittableRandom random, int bits, boolean hostile) {
            int rows = 1 + random.nextInt(70);
            int n = 1 + random.nextInt(70);
            int k = 1 + random.nextInt(200);
            float @Nullable [] bias = random.nextBoolean() ? floats(random, n, false) : null;
            return new Case(
                    rows,
                    Panels.random(random, n, k, bits),
                    Panels.random(random, n, k, bits),
                    floats(random, rows * k, hostile),
                    bias);
        }
    }

    private static float[] floats(SplittableRandom random, int count, boolean hostile) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-4, 4);
            if (hostile && random.nextInt(50) == 0) {
                values[i] = hostile(random);
            }
        }
        for (int block = 0; block + 32 <= count; block += 32) {
            if (random.nextInt(8) == 0) {
                Arrays.fill(values, block, block + 32, random.nextBoolean() ? 0f : 1e-31f);
            }
        }
        return values;
    }

    private static float hostile(SplittableRandom random) {
        return switch (random.nextInt(8)) {
            case 0 -> Float.NaN;
            case 1 -> Float.POSITIVE_INFINITY;
            case 2 -> Float.NEGATIVE_INFINITY;
            case 3 -> Float.MIN_VALUE;
            case 4 -> -Float.MAX_VALUE;
            case 5 -> 1e-30f;
            case 6 -> -0f;
            default -> Float.intBitsToFloat(random.nextInt());
        };
    }

    /** Bits, all NaN being one: processors differ in which operand's NaN they keep. */
    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void everyPathGivesThePortableBits(int weightBits) {
        for (long seed = 1; seed <= CASES; seed++) {
            Case c = Case.random(new SplittableRandom(seed), weightBits, true);
            int[] gemm = bits(kernels.gemm(PORTABLE, c.weights, c.x, c.bias));
            int[] gateUp = bits(kernels.gateUp(PORTABLE, c.weights, c.others, c.x));
            for (String path : kernels.paths()) {
                assertThat(bits(kernels.gemm(path, c.weights, c.x, c.bias)))
                        .as("gemm, path %s, seed %d", path, seed)
                        .isEqualTo(gemm);
                assertThat(bits(kernels.gateUp(path, c.weights, c.others, c.x)))
                        .as("gate and up, path %s, seed %d", path, seed)
                        .isEqualTo(gateUp);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void everyPathQuantisesAsTheReference(int seedOffset) {
        for (long seed = 1; seed <= CASES; seed++) {
            Case c = Case.random(new SplittableRandom(seed + 100L * seedOffset), 4, true);
            Reference.Quantized expected = Reference.quantize(c.x, c.weights.k());
            for (String path : kernels.paths()) {
                Reference.Quantized q = kernels.quantize(path, c.x, c.weights.k());
                assertThat(q.codes()).as("path %s, seed %d", path, seed).isEqualTo(expected.codes());
                assertThat(bits(q.scales())).as("path %s, seed %d", path, seed).isEqualTo(bits(expected.scales()));
                assertThat(q.sums()).as("path %s, seed %d", path, seed).isEqualTo(expected.sums());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void thePortablePathAgreesWithTheReference(int weightBits) {
        for (long seed = 1; seed <= CASES; seed++) {
            Case c = Case.random(new SplittableRandom(seed), weightBits, false);
            float[] y = kernels.gemm(PORTABLE, c.weights, c.x, c.bias);
            float[] product = kernels.gateUp(PORTABLE, c.weights, c.others, c.x);
            Reference.Products gemm = Reference.gemm(c.weights, c.x, c.bias);
            Reference.Products gate = Reference.gemm(c.weights, c.x, null);
            Reference.Products up = Reference.gemm(c.others, c.x, null);
            for (int i = 0; i < y.length; i++) {
                assertThat((double) y[i])
                        .as("seed %d, element %d", seed, i)
                        .isCloseTo(gemm.values()[i], within(gemm.bounds()[i]));
                double silu = Reference.silu(gate.values()[i]);
                // The derivative of silu is at most 1.1; its own roundings are a few units in the last place.
                double bound = 1.1 * gate.bounds()[i] * (Math.abs(up.values()[i]) + up.bounds()[i])
                        + Math.abs(silu) * up.bounds()[i]
                        + Math.abs(silu * up.values()[i]) * 0x1p-20
                        + 0x1p-120;
                assertThat((double) product[i])
                        .as("gate and up, seed %d, element %d", seed, i)
                        .isCloseTo(silu * up.values()[i], within(bound));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void aRowDependsOnItselfAlone(int weightBits) {
        Case c = Case.random(new SplittableRandom(7), weightBits, true);
        int k = c.weights.k();
        int n = c.weights.n();
        for (String path : kernels.paths()) {
            int[] gemm = bits(kernels.gemm(path, c.weights, c.x, c.bias));
            int[] gateUp = bits(kernels.gateUp(path, c.weights, c.others, c.x));
            for (int row = 0; row < c.rows; row++) {
                float[] x = Arrays.copyOfRange(c.x, row * k, (row + 1) * k);
                assertThat(bits(kernels.gemm(path, c.weights, x, c.bias)))
                        .as("path %s, row %d", path, row)
                        .isEqualTo(Arrays.copyOfRange(gemm, row * n, (row + 1) * n));
                assertThat(bits(kernels.gateUp(path, c.weights, c.others, x)))
                        .as("path %s, row %d", path, row)
                        .isEqualTo(Arrays.copyOfRange(gateUp, row * n, (row + 1) * n));
            }
        }
    }

    /** More panels than groups, an odd number of both, and more rows than are quantised at once. */
    @ParameterizedTest
    @ValueSource(ints = {20, 600})
    void wideMatricesAndManyRowsAreDividedWithoutGaps(int rows) {
        SplittableRandom random = new SplittableRandom(rows);
        Panels w = Panels.random(random, 2595, 40, 4);
        float[] x = floats(random, rows * 40, false);
        Reference.Products expected = Reference.gemm(w, x, null);
        float[] y = kernels.gemm(PORTABLE, w, x, null);
        for (int i = 0; i < y.length; i++) {
            if (!(Math.abs(y[i] - expected.values()[i]) <= expected.bounds()[i])) {
                throw new AssertionError("element " + i + " is " + y[i] + ", not " + expected.values()[i]);
            }
        }
        float[] lastRow = Arrays.copyOfRange(x, (rows - 1) * 40, rows * 40);
        int[] portable = bits(y);
        for (String path : kernels.paths()) {
            assertThat(Arrays.equals(bits(kernels.gemm(path, w, x, null)), portable))
                    .as("path %s", path)
                    .isTrue();
            assertThat(bits(kernels.gemm(path, w, lastRow, null)))
                    .as("path %s, last row alone", path)
                    .isEqualTo(Arrays.copyOfRange(portable, (rows - 1) * 2595, rows * 2595));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void anEmbeddingIsTheDequantisedRow(int weightBits) {
        SplittableRandom random = new SplittableRandom(3);
        Panels w = Panels.random(random, 37, 77, weightBits);
        long[] ids = random.longs(20, 0, 37).toArray();
        float[] y = kernels.embed(w, ids);
        for (int i = 0; i < y.length; i++) {
            int row = (int) ids[i / 77];
            int column = i % 77;
            assertThat(y[i]).isEqualTo(w.scale(row, column / 32) * w.signedCode(row, column));
        }
    }

    @Test
    void aBlockThatIsNotFiniteMakesItsRowNaNAndNoOther() {
        Panels w = Panels.random(new SplittableRandom(5), 20, 96, 4);
        for (String path : kernels.paths()) {
            float[] x = new float[2 * 96];
            Arrays.fill(x, 1f);
            x[40] = Float.POSITIVE_INFINITY;
            float[] y = kernels.gemm(path, w, x, null);
            for (int i = 0; i < 40; i++) {
                assertThat(Float.isNaN(y[i])).as("path %s, element %d", path, i).isEqualTo(i < 20);
            }
        }
    }

    @Test
    void unknownPathsAreRefused() {
        assertThat(kernels.select("none")).isEqualTo(-1);
        assertThat(kernels.select(kernels.library().path())).isZero();
    }
}
