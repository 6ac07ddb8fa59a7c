package dev.meridian.builder;

import dev.meridian.builder.graph.WeightMatrix;
import dev.meridian.builder.source.ImportException;
import java.io.IOException;

/** Produces the values of a matrix, piece by piece. Called by several threads, each with a piece of its own. */
interface WeightEncoder {
    /**
     * Fills the piece with rows {@code firstRow} to {@code firstRow + rows - 1}: codes and scales where the matrix
     * is quantised, else values, which must be finite as float16 where they are stored so.
     */
    void encode(WeightMatrix matrix, int firstRow, int rows, WeightPiece piece) throws ImportException, IOException;
}
