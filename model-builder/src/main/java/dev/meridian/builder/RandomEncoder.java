package dev.meridian.builder;

import dev.meridian.builder.graph.WeightMatrix;
import dev.meridian.builder.graph.WeightMatrix.Part;
import dev.meridian.builder.quant.BlockQuantizer;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Draws weights: matrices normal with a standard deviation of {@value #DEVIATION}, norms 1, biases 0. Quantised
 * blocks are drawn as codes, uniform over a range that gives the same deviation, since no search is needed where
 * there is no truth. A row depends on the seed, its tensor's name and its number alone, so the bytes do not depend on
 * how rows are cut into pieces.
 */
record RandomEncoder(long seed) implements WeightEncoder {
    private static final double DEVIATION = 0.02;
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    @Override
    public void encode(WeightMatrix matrix, int firstRow, int rows, WeightPiece piece) {
        int partStart = 0;
        for (Part part : matrix.parts()) {
            int from = Math.max(firstRow, partStart);
            int until = Math.min(firstRow + rows, partStart + part.rows());
            if (part.vector()) {
                fill(piece, from - firstRow, until - firstRow, part.tensor().endsWith("norm.weight") ? 1 : 0);
            } else {
                long tensorSeed = mix(seed ^ mix(hash(part.tensor())));
                for (int row = from; row < until; row++) {
                    var random = new SplittableRandom(mix(tensorSeed + row - partStart));
                    drawRow(matrix, random, row - firstRow, piece);
                }
            }
            partStart += part.rows();
        }
    }

    private static void fill(WeightPiece piece, int from, int until, float value) {
        if (from < until) {
            Arrays.fill(piece.values, from, until, value);
        }
    }

    private static void drawRow(WeightMatrix matrix, SplittableRandom random, int row, WeightPiece piece) {
        int columns = matrix.columns();
        if (!matrix.encoding().isQuantised()) {
            for (int i = 0; i < columns; i++) {
                piece.values[row * columns + i] = (float) (random.nextGaussian() * DEVIATION);
            }
            return;
        }
        int blocks = BlockQuantizer.blocks(columns);
        int rowBytes = BlockQuantizer.rowBytes(matrix.encoding(), columns);
        int from = row * rowBytes;
        for (int i = 0; i < rowBytes; i += Long.BYTES) {
            LONGS.set(piece.codes, from + i, random.nextLong());
        }
        // Codes uniform over 2^bits steps deviate by 2^bits / sqrt(12).
        float scale = Float.float16ToFloat(Float.floatToFloat16(
                (float) (DEVIATION * Math.sqrt(12) / (1 << matrix.encoding().bits()))));
        Arrays.fill(piece.scales, row * blocks, (row + 1) * blocks, scale);
    }

    /** FNV-1a with 64 bits: the same on every platform and release. */
    private static long hash(String text) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        }
        return hash;
    }

    /** The finaliser of SplitMix64: neighbouring seeds give unrelated streams. */
    private static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        long b = (a ^ (a >>> 27)) * 0x94d049bb133111ebL;
        return b ^ (b >>> 31);
    }
}
