package dev.meridian.engine.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.engine.kernels.AttentionCase.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention on every path has the reference's bits, whatever else is computed in the same call. */
class KernelAttentionTest {
    private final NativeKernels kernels = NativeKernels.required();

    private static float[] inputs(SplittableRandom random, int count, boolean hostile) {
        float[] values = new float[count];
        float size = 1 << random.nextInt(4);
        for (int i = 0; i < count; i++) {
            values[i] = hostile && random.nextInt(1500) == 0 ? hostile(random) : size * (float) random.nextGaussian();
        }
        return values;
    }

    private static float hostile(SplittableRandom random) {
        return switch (random.nextInt(9)) {
            case 0 -> Float.NaN;
            case 1 -> Float.POSITIVE_INFINITY;
            case 2 -> Float.NEGATIVE_INFINITY;
            case 3 -> Float.MIN_VALUE;
            case 4 -> -Float.MAX_VALUE;
            case 5 -> 65519.996f;
            case 6 -> -0f;
            case 7 -> (float) random.nextGaussian() * 0x1p-22f;
            default -> Float.intBitsToFloat(random.nextInt());
        };
    }

    /** Positions first..last of a slot in this order, as if the ones before had been written. */
    private static void seed(AttentionCase c, SplittableRandom random, int slot, int positions, boolean hostile) {
        for (int head = 0; head < c.kvHeads(); head++) {
            float[] values = inputs(random, 2 * positions * c.dim(), hostile);
            for (int i = 0; i < positions * c.dim(); i++) {
                c.keys()[c.keyAt(slot, head, i / c.dim(), i % c.dim())] = AttentionReference.half(values[i]);
                c.values()[c.valueAt(slot, head, i / c.dim(), i % c.dim())] =
                        AttentionReference.half(values[positions * c.dim() + i]);
            }
        }
    }

    /** NaN as one, and the others by their bits. */
    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }

    private void assertPathsAgree(AttentionCase c, Rows rows, String what) {
        AttentionCase reference = c.copy();
        int[] expected = bits(AttentionReference.attend(reference, rows));
        for (String path : kernels.paths()) {
            for (boolean packed : new boolean[] {true, false}) {
                AttentionCase own = c.copy();
                assertThat(bits(kernels.attention(path, own, rows, packed)))
                        .as("path %s, %s", path, what)
                        .isEqualTo(expected);
                assertThat(own.keys()).as("keys, path %s, %s", path, what).isEqualTo(reference.keys());
                assertThat(own.values()).as("values, path %s, %s", path, what).isEqualTo(reference.values());
            }
        }
    }

    /** Runs of positions of several slots, some over a border of chunks, in any order. */
    private static Rows rows(SplittableRandom random, AttentionCase c, boolean hostile) {
        List<int[]> places = new ArrayList<>();
        for (int slot = 0; slot < c.slots(); slot++) {
            int length = random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(21);
            int border = 256 * random.nextInt(3) + random.nextInt(-12, 3);
            int first = Math.clamp(border, 0, c.positions() - length);
            seed(c, random, slot, first, hostile);
            for (int i = 0; i < length; i++) {
                places.add(new int[] {slot, first + i});
            }
        }
        if (random.nextInt(3) == 0) {
            Collections.shuffle(places, new Random(random.nextLong()));
        }
        int[] slots = places.stream().mapToInt(p -> p[0]).toArray();
        int[] positions = places.stream().mapToInt(p -> p[1]).toArray();
        return new Rows(slots, positions, inputs(random, slots.length * c.width(), hostile));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 16",
        "2, 1, 64",
        "14, 2, 64",
        "8, 1, 80",
        "3, 3, 96",
        "12, 2, 128",
        "8, 2, 256",
        "70, 1, 32",
        "1, 1, 512"
    })
    void everyPathGivesTheReferencesBits(int heads, int kvHeads, int dim) {
        for (long seed = 1; seed <= 4; seed++) {
            SplittableRandom random = new SplittableRandom(seed * 1000 + dim);
            AttentionCase c = AttentionCase.random(random, heads, kvHeads, dim, 3, 640);
            Rows rows = rows(random, c, seed % 2 == 0);
            assertPathsAgree(c, rows, "seed " + seed);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 254, 255, 256, 257, 511, 512, 600, 639})
    void everyPositionAtABorderGivesTheReferencesBits(int position) {
        SplittableRandom random = new SplittableRandom(position);
        AttentionCase c = AttentionCase.random(random, 7, 1, 64, 2, 656);
        seed(c, random, 1, position, false);
        float[] packed = inputs(random, c.width(), false);
        assertPathsAgree(c, new Rows(new int[] {1}, new int[] {position}, packed), "position " + position);
    }

    /** As mathematics: double precision, one softmax over all positions. */
    @Test
    void theReferenceIsAttention() {
        SplittableRandom random = new SplittableRandom(5);
        AttentionCase c = AttentionCase.random(random, 4, 2, 32, 1, 640);
        seed(c, random, 0, 600, false);
        Rows rows = new Rows(new int[] {0}, new int[] {600}, inputs(random, c.width(), false));
        float[] out = AttentionReference.attend(c, rows);
        for (int head = 0; head < 4; head++) {
            double[] expected = softmaxOfPlainScores(c, rows, head);
            for (int d = 0; d < 32; d++) {
                assertThat((double) out[head * 32 + d]).isCloseTo(expected[d], within(1e-4));
            }
        }
    }

    private static double[] softmaxOfPlainScores(AttentionCase c, Rows rows, int head) {
        int position = rows.positions()[0];
        double[] scores = new double[position + 1];
        for (int j = 0; j <= position; j++) {
            for (int i = 0; i < 16; i++) {
                double cos = c.cos()[position * 16 + i];
                double sin = c.sin()[position * 16 + i];
                double left = rows.packed()[head * 32 + i];
                double right = rows.packed()[head * 32 + 16 + i];
                scores[j] += (left * cos - right * sin)
                        * Float.float16ToFloat(c.keys()[c.keyAt(0, head / 2, j, i)])
                        / Math.sqrt(32);
                scores[j] += (right * cos + left * sin)
                        * Float.float16ToFloat(c.keys()[c.keyAt(0, head / 2, j, 16 + i)])
                        / Math.sqrt(32);
            }
        }
        double most = Arrays.stream(scores).max().orElseThrow();
        double sum = Arrays.stream(scores).map(s -> Math.exp(s - most)).sum();
        double[] out = new double[32];
        for (int j = 0; j <= position; j++) {
            for (int d = 0; d < 32; d++) {
                out[d] += Math.exp(scores[j] - most)
                        / sum
                        * Float.float16ToFloat(c.values()[c.valueAt(0, head / 2, j, d)]);
            }
        }
        return out;
    }

    /** Sequences of `lengths`, each at position order; a call takes the next rows of some of them. */
    @SuppressWarnings("ArrayRecordComponent") // not copied
    private record Sequences(float[][] packed, int[] lengths) {}

    private record Outcome(List<int[]> outputs, List<short[]> cached) {}

    private Outcome run(String path, AttentionCase c, Sequences s, int[] slots, SplittableRandom random, int most) {
        int[] done = new int[s.lengths.length];
        int width = c.width();
        int outWidth = c.heads() * c.dim();
        float[][] outputs = new float[done.length][];
        Arrays.setAll(outputs, i -> new float[s.lengths[i] * outWidth]);
        while (!Arrays.equals(done, s.lengths)) {
            List<int[]> places = new ArrayList<>();
            for (int i = 0; i < done.length; i++) {
                int rows = Math.min(random.nextInt(3) == 0 ? random.nextInt(most + 1) : 1, s.lengths[i] - done[i]);
                for (int row = 0; row < rows; row++) {
                    places.add(new int[] {i, done[i]++});
                }
            }
            float[] packed = new float[places.size() * width];
            for (int row = 0; row < places.size(); row++) {
                int[] place = places.get(row);
                System.arraycopy(s.packed[place[0]], place[1] * width, packed, row * width, width);
            }
            Rows rows = new Rows(
                    places.stream().mapToInt(p -> slots[p[0]]).toArray(),
                    places.stream().mapToInt(p -> p[1]).toArray(),
                    packed);
            float[] out = kernels.attention(path, c, rows, random.nextBoolean());
            for (int row = 0; row < places.size(); row++) {
                int[] place = places.get(row);
                System.arraycopy(out, row * outWidth, outputs[place[0]], place[1] * outWidth, outWidth);
            }
        }
        List<short[]> cached = new ArrayList<>();
        for (int i = 0; i < done.length; i++) {
            cached.add(c.cached(slots[i], done[i]));
        }
        return new Outcome(Arrays.stream(outputs).map(KernelAttentionTest::bits).toList(), cached);
    }

    @ParameterizedTest
    @CsvSource({"7, 1, 64, 1", "4, 4, 16, 2", "2, 1, 80, 3", "12, 2, 32, 4"})
    void noScheduleChangesABit(int heads, int kvHeads, int dim, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        AttentionCase c = AttentionCase.random(random, heads, kvHeads, dim, 4, 336);
        int[] lengths = {1 + random.nextInt(20), 258 + random.nextInt(40), 40 + random.nextInt(40)};
        float[][] packed = new float[3][];
        Arrays.setAll(packed, i -> inputs(random, lengths[i] * c.width(), i == 2));
        Sequences sequences = new Sequences(packed, lengths);
        Outcome expected = run("portable", c.copy(), sequences, new int[] {0, 1, 2}, random, 1);
        int[][] slotsOf = {{3, 1, 0}, {2, 3, 1}, {0, 2, 3}};
        for (String path : kernels.paths()) {
            for (int i = 0; i < slotsOf.length; i++) {
                Outcome outcome = run(path, c.copy(), sequences, slotsOf[i], random, new int[] {1, 40, 300}[i]);
                for (int sequence = 0; sequence < 3; sequence++) {
                    assertThat(outcome.outputs.get(sequence))
                            .as("path %s, schedule %d, sequence %d", path, i, sequence)
                            .isEqualTo(expected.outputs.get(sequence));
                    assertThat(outcome.cached.get(sequence))
                            .as("cache, path %s, schedule %d, sequence %d", path, i, sequence)
                            .isEqualTo(expected.cached.get(sequence));
                }
            }
        }
    }

    /** More rows than are listed at once, and long pieces beside short ones, which are divided by chunks. */
    @Test
    void manyRowsAndLongContextsAreDividedWithoutGaps() {
        SplittableRandom random = new SplittableRandom(9);
        AttentionCase c = AttentionCase.random(random, 2, 1, 16, 2, 4096);
        seed(c, random, 0, 4000, false);
        int[] slots = new int[701];
        int[] positions = new int[701];
        Arrays.fill(slots, 0, 700, 1);
        Arrays.setAll(positions, i -> i);
        positions[700] = 4000;
        Rows rows = new Rows(slots, positions, inputs(random, 701 * c.width(), false));
        assertPathsAgree(c, rows, "many rows");
        assertPathsAgree(c, rows.row(c.width(), 700), "one row");
    }

    @Test
    void aRowThatIsNotANumberSpoilsNoRowBefore() {
        SplittableRandom random = new SplittableRandom(11);
        AttentionCase c = AttentionCase.random(random, 2, 1, 16, 1, 320);
        float[] packed = inputs(random, 300 * c.width(), false);
        Arrays.fill(packed, 290 * c.width(), 291 * c.width(), Float.POSITIVE_INFINITY);
        Arrays.fill(packed, 295 * c.width(), 296 * c.width(), Float.NaN);
        int[] positions = new int[300];
        Arrays.setAll(positions, i -> i);
        for (String path : kernels.paths()) {
            float[] out = kernels.attention(path, c.copy(), new Rows(new int[300], positions, packed), true);
            for (int i = 0; i < out.length; i++) {
                assertThat(Float.isNaN(out[i]))
                        .as("path %s, element %d", path, i)
                        .isEqualTo(i >= 290 * 32);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 0", "2, 0", "0, -1", "0, 32", "1, 2147483647", "-2147483648, 1"})
    void rowsOutsideAreRefused(int slot, int position) {
        AttentionCase c = AttentionCase.random(new SplittableRandom(1), 1, 1, 16, 2, 32);
        Rows rows = new Rows(new int[] {0, slot}, new int[] {0, position}, new float[2 * c.width()]);
        assertThat(kernels.attentionStatus("portable", c, rows, true)).isEqualTo(-2);
    }
}
