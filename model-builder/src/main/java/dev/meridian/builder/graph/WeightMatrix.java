package dev.meridian.builder.graph;

import dev.meridian.builder.quant.Weights;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A matrix that the graph wants in the data file: checkpoint tensors stacked row on row, row-major {@code [rows,
 * columns]}. A vector is a matrix of one column.
 *
 * @param encoding how the values lie in {@code data}: float32, float16, or the codes of blocks along each row
 * @param arrangement where in {@code data} a row lies
 * @param scales where the blocks' scales go, {@code [rows, blocks]} float32; null where there are none or panels hold them
 */
public record WeightMatrix(
        List<Part> parts,
        int columns,
        Weights encoding,
        Arrangement arrangement,
        Region data,
        @Nullable Region scales) {
    /** Of rows; panels as {@link dev.meridian.engine.bundle.Panels} defines them, for quantised weights alone. */
    public enum Arrangement {
        ROWS,
        PANELS,
        /** Of two parts as large as one another, each padded by itself: a panel of the first, one of the second, and so on. */
        ALTERNATING
    }

    /** One tensor of the checkpoint: {@code [rows, columns]}, or {@code [rows]} where it is a vector. */
    public record Part(String tensor, int rows, boolean vector) {}

    public int rows() {
        return parts.stream().mapToInt(Part::rows).sum();
    }

    /** Rows of which panels are made together, the last one padded: those of one part where parts alternate, else all. */
    public int rowsPaddedTogether() {
        return arrangement == Arrangement.ALTERNATING ? rows() / parts.size() : rows();
    }
}
