package dev.meridian.builder;

import dev.meridian.builder.graph.WeightMatrix;
import dev.meridian.builder.graph.WeightMatrix.Part;
import dev.meridian.builder.quant.BlockQuantizer;
import dev.meridian.builder.quant.Float16;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.Checkpoint;
import dev.meridian.builder.source.ImportException;
import java.io.IOException;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** Encodes the tensors of a checkpoint. */
record CheckpointEncoder(Checkpoint checkpoint) implements WeightEncoder {
    /**
     * Refuses a checkpoint that lacks a tensor, has one of another shape, or holds one that the graph has no place
     * for.
     */
    void check(List<WeightMatrix> matrices) throws ImportException {
        Set<String> wanted = new HashSet<>();
        for (WeightMatrix matrix : matrices) {
            for (Part part : matrix.parts()) {
                checkpoint.require(
                        part.tensor(),
                        part.vector()
                                ? List.of((long) part.rows())
                                : List.of((long) part.rows(), (long) matrix.columns()));
                wanted.add(part.tensor());
            }
        }
        for (String name : checkpoint.names()) {
            if (!wanted.contains(name) && !mayBePassedOver(name)) {
                throw new ImportException(checkpoint.folder() + ": tensor " + name
                        + " has no place in the model that config.json describes");
            }
        }
    }

    /**
     * The head of a tied model repeats the embedding; old files carry the rotary frequencies, which config.json
     * gives.
     */
    private static boolean mayBePassedOver(String tensor) {
        return tensor.equals("lm_head.weight") || tensor.endsWith(".rotary_emb.inv_freq");
    }

    @Override
    public void encode(WeightMatrix matrix, int firstRow, int rows, WeightPiece piece)
            throws ImportException, IOException {
        int columns = matrix.columns();
        int partStart = 0;
        int filled = 0;
        for (Part part : matrix.parts()) {
            int from = Math.max(firstRow, partStart);
            int until = Math.min(firstRow + rows, partStart + part.rows());
            if (from < until) {
                int count = (until - from) * columns;
                long first = (long) (from - partStart) * columns;
                checkpoint.read(part.tensor(), first, count, piece.values, filled, piece.scratch);
                if (matrix.encoding() == Weights.F16) {
                    refuseOverflow(part, columns, first, piece.values, filled, filled + count);
                }
                filled += count;
            }
            partStart += part.rows();
        }
        BlockQuantizer quantizer = piece.quantizer;
        if (matrix.encoding().isQuantised() && quantizer != null) {
            quantizer.quantize(piece.values, rows, columns, piece.codes, piece.scales);
            refuseScales(matrix, firstRow, rows, piece.scales);
        }
    }

    private void refuseScales(WeightMatrix matrix, int firstRow, int rows, float[] scales) throws ImportException {
        int blocks = BlockQuantizer.blocks(matrix.columns());
        int at = Float16.firstOverflow(scales, 0, rows * blocks);
        if (at >= 0) {
            int row = firstRow + at / blocks;
            Iterator<Part> parts = matrix.parts().iterator();
            Part part = parts.next();
            while (row >= part.rows()) {
                row -= part.rows();
                part = parts.next();
            }
            throw new ImportException(checkpoint.folder() + ": tensor " + part.tensor() + " has weights in row " + row
                    + ", columns from " + at % blocks * BlockQuantizer.BLOCK
                    + " on, whose scale float16 cannot hold (65504"
                    + " at most); choose other --weights");
        }
    }

    private void refuseOverflow(Part part, int columns, long first, float[] values, int from, int until)
            throws ImportException {
        int at = Float16.firstOverflow(values, from, until);
        if (at >= 0) {
            long element = first + at - from;
            throw new ImportException(checkpoint.folder() + ": tensor " + part.tensor() + " has the value " + values[at]
                    + " in row " + element / columns + ", column " + element % columns
                    + ", which float16 cannot hold (65504 at most); choose other --weights");
        }
    }
}
