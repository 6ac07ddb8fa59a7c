package dev.meridian.engine.bundle;

import java.util.List;

/** The rules of {@link DecoderRules} for weights in blocks of 4 or 8 bits: sizes of codes and scales, by their attributes. */
final class QuantizedRules {
    /** The only block that model-builder makes. */
    private static final long BLOCK = 32;

    private QuantizedRules() {}

    /** Rows of a table whose codes fill whole blocks. */
    static List<TensorShape> gather(NodeReader node) {
        node.arity(3, 1);
        long bits = bits(node);
        node.integer("block_size", BLOCK, BLOCK);
        node.integer("gather_axis", 0, 0);
        node.integer("quantize_axis", 1, 1);
        TensorShape codes = node.shape(0);
        if (codes.dims().size() != 2) {
            throw node.fault("gathers " + codes);
        }
        long rows = codes.dims().getFirst();
        long columns = codes.last() * Byte.SIZE / bits;
        node.expectConstant(0, TensorShape.of(ElementType.UINT8, rows, columns * bits / Byte.SIZE));
        node.expectConstant(2, TensorShape.floats(rows, columns / BLOCK));
        if (rows < 1 || columns < BLOCK || columns % BLOCK != 0) {
            throw node.fault("rows of " + columns + " codes are no whole blocks");
        }
        return List.of(DecoderRules.gathered(node, node.shape(1), columns));
    }

    static List<TensorShape> product(NodeReader node) {
        node.arity(6, 1);
        long bits = bits(node);
        node.integer("block_size", BLOCK, BLOCK);
        node.integer("accuracy_level", 0, 4);
        TensorShape input = DecoderRules.activation(node, 0);
        long columns = node.integer("K", input.last(), input.last());
        TensorShape codes = node.shape(1);
        long rows = codes.dims().isEmpty() ? 0 : codes.dims().getFirst();
        node.integer("N", Math.max(1, rows), rows);
        long blocks = Math.ceilDiv(columns, BLOCK);
        node.expectConstant(1, TensorShape.of(ElementType.UINT8, rows, blocks, BLOCK * bits / Byte.SIZE));
        node.expectConstant(2, TensorShape.floats(rows, blocks));
        if (node.has(3) || node.has(4)) {
            throw node.fault("zero points and reordered columns are not supported");
        }
        if (node.has(5)) {
            node.expectConstant(5, TensorShape.floats(rows));
        }
        return List.of(input.withLast(rows));
    }

    private static long bits(NodeReader node) {
        long bits = node.integer("bits", 4, 8);
        if (bits != 4 && bits != 8) {
            throw node.fault("bits is " + bits + ", expected 4 or 8");
        }
        return bits;
    }
}
