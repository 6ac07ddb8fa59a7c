package dev.meridian.engine.bundle;

import java.util.List;

/** The rules of {@link DecoderRules} for Meridian's own operators over packed weights: {@link Panels} by N, K and bits. */
final class PanelRules {
    private static final long MAX_ROWS = 1L << 24;
    private static final long MAX_COLUMNS = 1L << 24;

    private PanelRules() {}

    /** Rows of a table. */
    static List<TensorShape> embed(NodeReader node) {
        node.arity(2, 1);
        long columns = node.integer("K", 1, MAX_COLUMNS);
        weights(node, columns, 1);
        return List.of(DecoderRules.gathered(node, node.shape(0), columns));
    }

    static List<TensorShape> product(NodeReader node) {
        node.arity(3, 1);
        TensorShape input = DecoderRules.activation(node, 0);
        long rows = weights(node, node.integer("K", input.last(), input.last()), 1);
        if (node.has(2)) {
            node.expectConstant(2, TensorShape.floats(rows));
        }
        return List.of(input.withLast(rows));
    }

    static List<TensorShape> gateUp(NodeReader node) {
        node.arity(2, 1);
        TensorShape input = DecoderRules.activation(node, 0);
        long rows = weights(node, node.integer("K", input.last(), input.last()), 2);
        return List.of(input.withLast(rows));
    }

    /** N, after a look at the length of the weights, which are {@code matrices} of N rows. */
    private static long weights(NodeReader node, long columns, int matrices) {
        long rows = node.integer("N", 1, MAX_ROWS);
        long bits = node.integer("bits", 4, 8);
        if (columns > MAX_COLUMNS || (bits != 4 && bits != 8)) {
            throw node.fault("bits is " + bits + " and K " + columns + ", expected 4 or 8 and at most " + MAX_COLUMNS);
        }
        // Below 2^24 each, and at most 17 bits a weight: the product is far below 2^63.
        long bytes = matrices * Panels.bytes((int) rows, (int) columns, (int) bits);
        node.expectConstant(1, TensorShape.of(ElementType.UINT8, bytes));
        return rows;
    }
}
