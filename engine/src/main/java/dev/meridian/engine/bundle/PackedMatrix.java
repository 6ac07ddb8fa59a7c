package dev.meridian.engine.bundle;

import java.util.List;

/**
 * Weights that lie packed in the weights file ({@link Panels}) and that a graph of MatMulNBits takes unpacked.
 *
 * @param offset where the panels begin
 * @param parts rows of the matrices whose panels alternate, in their order; one number where none do
 * @param codes constants of the graph that are these codes
 * @param scales constants of the graph that are these scales
 */
public record PackedMatrix(
        long offset, List<Integer> parts, int columns, int bits, List<Constant> codes, List<Constant> scales) {
    /** A constant by its name and dimensions. */
    public record Constant(String name, List<Long> dims) {}

    public int rows() {
        return parts.stream().mapToInt(Integer::intValue).sum();
    }
}
