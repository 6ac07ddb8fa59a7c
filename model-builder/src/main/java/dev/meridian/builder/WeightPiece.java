package dev.meridian.builder;

import dev.meridian.builder.graph.WeightMatrix;
import dev.meridian.builder.graph.WeightMatrix.Arrangement;
import dev.meridian.builder.quant.BlockQuantizer;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.Checkpoint;
import dev.meridian.engine.bundle.Panels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** One worker's buffers, made once and used for piece after piece, so that memory does not grow with the model. */
final class WeightPiece {
    /** Weights encoded together. */
    static final int VALUES = 1 << 19;

    final float[] values;
    final byte[] codes;
    final float[] scales;
    /** Panels on their way to or from the file. */
    final byte[] packed;

    final ByteBuffer scratch;
    final @Nullable BlockQuantizer quantizer;

    /**
     * Makes the buffers.
     *
     * @param widestRow the most columns that a matrix has, since a piece holds at least one row or, packed, one panel
     */
    WeightPiece(Weights weights, int widestRow) {
        int capacity = Math.max(VALUES, weights.isQuantised() ? Math.multiplyExact(Panels.ROWS, widestRow) : widestRow);
        int padded = Math.addExact(capacity, VALUES / 2);
        values = new float[capacity];
        scratch = ByteBuffer.allocateDirect(Checkpoint.scratchBytes(capacity)).order(ByteOrder.LITTLE_ENDIAN);
        boolean quantised = weights.isQuantised();
        codes = new byte[quantised ? padded : 0];
        scales = new float[quantised ? Math.ceilDiv(padded, BlockQuantizer.BLOCK) : 0];
        packed = new byte[quantised ? packedBytes(weights, padded) : 0];
        quantizer = quantised ? new BlockQuantizer(weights) : null;
    }

    /** Panels that hold {@code values} weights, whole rows and blocks. */
    private static int packedBytes(Weights weights, int values) {
        return Math.multiplyExact(
                Math.ceilDiv(values, Panels.ROWS * Panels.BLOCK) + 1, Panels.tileBytes(weights.bits()));
    }

    /** Rows of {@code matrix} that fit into one piece, at least one; whole panels where it is packed. */
    static int rows(WeightMatrix matrix) {
        int padded = BlockQuantizer.blocks(matrix.columns()) * BlockQuantizer.BLOCK;
        int width = matrix.encoding().isQuantised() ? padded : matrix.columns();
        int rows = Math.max(1, VALUES / width);
        return matrix.arrangement() == Arrangement.ROWS ? rows : Math.max(1, rows / Panels.ROWS) * Panels.ROWS;
    }
}
