package dev.meridian.engine.bundle;

import static dev.meridian.engine.bundle.TensorShape.ALL_TOKENS;
import static dev.meridian.engine.bundle.TensorShape.BATCH;
import static dev.meridian.engine.bundle.TensorShape.TOKENS;

import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What each operator of Meridian's own graphs takes and gives. Native kernels trust much of it: that packed weights are as
 * long as K, N and the block say, that rotary tables reach as far as the positions do, that heads times dimension is the
 * width. An operator or a use that model-builder never makes is refused.
 */
final class DecoderRules {
    private static final long MAX_WIDTH = 1L << 24;
    private static final float LARGEST_EPSILON = 1;
    /** What a graph of Meridian's own operators has of its own. */
    private static final Set<String> OF_ONNX_RUNTIME =
            Set.of("MatMulNBits", "GatherBlockQuantized", "GroupQueryAttention");

    private final ModelShape shape;
    private final boolean kernels;

    /**
     * Rules for a model of a shape.
     *
     * @param kernels whether quantised weights are read by Meridian's own operators, or else by ONNX Runtime's
     */
    DecoderRules(ModelShape shape, boolean kernels) {
        this.shape = shape;
        this.kernels = kernels;
    }

    /** Shapes of a node's outputs, in their order. Throws {@link BundleException} where a rule is broken. */
    List<TensorShape> outputs(NodeReader node) {
        boolean own = node.node().domain().equals(GraphCheck.OWN_DOMAIN);
        if (own != kernels && (own || OF_ONNX_RUNTIME.contains(node.node().operator()))) {
            throw node.fault("the operator is not one of this layout's");
        }
        List<TensorShape> made =
                switch (node.node().domain() + ":" + node.node().operator()) {
                    case ":Gather" -> gather(node);
                    case ":Cast" -> widen(node);
                    case ":Slice" -> slice(node);
                    case ":SimplifiedLayerNormalization" -> norm(node);
                    case ":Reshape" -> reshape(node);
                    case ":Split" -> split(node);
                    case ":Mul" -> multiply(node);
                    case ":Add" -> add(node);
                    case "com.microsoft:SkipSimplifiedLayerNormalization" -> skipNorm(node);
                    case "com.microsoft:QuickGelu" -> silu(node);
                    case "com.microsoft:FusedMatMul" -> product(node);
                    case "com.microsoft:GatherBlockQuantized" -> QuantizedRules.gather(node);
                    case "com.microsoft:MatMulNBits" -> QuantizedRules.product(node);
                    case "dev.meridian:BlockGemm" -> PanelRules.product(node);
                    case "dev.meridian:BlockGateUp" -> PanelRules.gateUp(node);
                    case "dev.meridian:BlockEmbed" -> PanelRules.embed(node);
                    case "com.microsoft:GroupQueryAttention" -> AttentionRules.groupQuery(node, shape);
                    case "dev.meridian:BlockAttention" -> AttentionRules.block(node, shape);
                    default -> throw node.fault("the operator is not one of this layout's");
                };
        node.noOtherAttributes();
        requireNames(node);
        return made;
    }

    /** The CPU kernel of the fused norm fills its first and its last output only. */
    private static void requireNames(NodeReader node) {
        List<String> names = node.node().outputs();
        boolean fused = node.node().operator().equals("SkipSimplifiedLayerNormalization");
        for (int i = 0; i < names.size(); i++) {
            if (names.get(i).isEmpty() != (fused && (i == 1 || i == 2))) {
                throw node.fault("its outputs are " + names);
            }
        }
    }

    private static List<TensorShape> gather(NodeReader node) {
        node.arity(2, 1);
        node.integer("axis", 0, 0);
        TensorShape data = node.shape(0);
        TensorShape indices = node.shape(1);
        boolean half = data.type() == ElementType.FLOAT16;
        if ((!half && data.type() != ElementType.FLOAT) || data.dims().size() != 2) {
            throw node.fault("gathers " + data + " by " + indices);
        }
        TensorShape rows = gathered(node, indices, data.last());
        return List.of(half ? new TensorShape(ElementType.FLOAT16, rows.dims()) : rows);
    }

    /** Weights that are stored as float16, or rows of them, become float32. */
    private static List<TensorShape> widen(NodeReader node) {
        node.arity(1, 1);
        node.integer("to", ElementType.FLOAT.number(), ElementType.FLOAT.number());
        TensorShape input = node.shape(0);
        if (input.type() != ElementType.FLOAT16 || input.dims().size() < 2) {
            throw node.fault("widens " + input);
        }
        return List.of(new TensorShape(ElementType.FLOAT, input.dims()));
    }

    /** Rows of {@code width} in the place of the indices, which must be known only when the graph runs. */
    static TensorShape gathered(NodeReader node, TensorShape indices, long width) {
        if (indices.type() != ElementType.INT64 || !varies(indices)) {
            throw node.fault("gathers by " + indices);
        }
        return new TensorShape(
                ElementType.FLOAT,
                Stream.concat(indices.dims().stream(), Stream.of(width)).toList());
    }

    private static boolean varies(TensorShape shape) {
        return !shape.dims().isEmpty() && shape.dims().getFirst() < 0;
    }

    /** The end of the last dimension is cut off. */
    private static List<TensorShape> slice(NodeReader node) {
        node.arity(4, 1);
        TensorShape input = activation(node, 0);
        List<Long> ends = node.longs(2);
        if (!node.longs(1).equals(List.of(0L))
                || !node.longs(3).equals(List.of(-1L))
                || ends.size() != 1
                || ends.getFirst() < 1
                || ends.getFirst() > input.last()) {
            throw node.fault("cuts " + input + " to " + ends + " of " + node.longs(3));
        }
        return List.of(input.withLast(ends.getFirst()));
    }

    private static List<TensorShape> norm(NodeReader node) {
        node.arity(2, 1);
        node.integer("axis", -1, -1);
        node.integer("stash_type", 1, 1);
        node.decimal("epsilon", 0, LARGEST_EPSILON);
        TensorShape input = activation(node, 0);
        node.expectConstant(1, TensorShape.floats(input.last()));
        return List.of(input);
    }

    private static List<TensorShape> skipNorm(NodeReader node) {
        node.arity(3, 4);
        node.decimal("epsilon", 0, LARGEST_EPSILON);
        TensorShape input = activation(node, 0);
        node.expect(1, input);
        node.expectConstant(2, TensorShape.floats(input.last()));
        return Collections.nCopies(4, input);
    }

    private static List<TensorShape> reshape(NodeReader node) {
        node.arity(2, 1);
        TensorShape input = activation(node, 0);
        List<Long> wanted = node.longs(1);
        List<Long> dims = input.dims();
        if (wanted.equals(List.of(-1L, input.last())) && dims.equals(List.of(BATCH, TOKENS, input.last()))) {
            return List.of(TensorShape.floats(ALL_TOKENS, input.last()));
        }
        boolean keepsTokens = wanted.size() >= 3
                && wanted.subList(0, 2).equals(List.of(0L, 0L))
                && dims.size() >= 3
                && dims.subList(0, 2).equals(List.of(BATCH, TOKENS));
        if (!keepsTokens || product(node, wanted) != product(node, dims)) {
            throw node.fault("makes " + wanted + " of " + input);
        }
        List<Long> result = new ArrayList<>(dims.subList(0, 2));
        result.addAll(wanted.subList(2, wanted.size()));
        return List.of(new TensorShape(input.type(), List.copyOf(result)));
    }

    /** The product of all dimensions but the first two. */
    private static long product(NodeReader node, List<Long> dims) {
        long product = 1;
        for (long dim : dims.subList(2, dims.size())) {
            if (dim < 1 || dim > MAX_WIDTH || product * dim > MAX_WIDTH) {
                throw node.fault("dimensions " + dims);
            }
            product *= dim;
        }
        return product;
    }

    private static List<TensorShape> split(NodeReader node) {
        TensorShape input = activation(node, 0);
        List<Long> sizes = node.longs(1);
        node.arity(2, sizes.size());
        node.integer("axis", -1, -1);
        long sum = 0;
        for (long size : sizes) {
            if (size < 1 || size > input.last()) {
                throw node.fault("splits " + input + " into " + sizes);
            }
            sum += size;
        }
        if (sum != input.last()) {
            throw node.fault("splits " + input + " into " + sizes);
        }
        return sizes.stream().map(input::withLast).toList();
    }

    private static List<TensorShape> multiply(NodeReader node) {
        node.arity(2, 1);
        TensorShape input = activation(node, 0);
        node.expect(1, input);
        return List.of(input);
    }

    /** A product and its bias. */
    private static List<TensorShape> add(NodeReader node) {
        node.arity(2, 1);
        TensorShape input = activation(node, 0);
        node.expectConstant(1, TensorShape.floats(input.last()));
        return List.of(input);
    }

    private static List<TensorShape> silu(NodeReader node) {
        node.arity(1, 1);
        node.decimal("alpha", 1, 1);
        return List.of(activation(node, 0));
    }

    private static List<TensorShape> product(NodeReader node) {
        node.arity(2, 1);
        node.integer("transB", 1, 1);
        TensorShape input = activation(node, 0);
        TensorShape weight = node.shape(1);
        if (weight.dims().size() != 2) {
            throw node.fault("multiplies by " + weight);
        }
        long rows = weight.dims().getFirst();
        node.expect(1, TensorShape.floats(rows, input.last()));
        // What varies has a first dimension below zero: this is a constant, or one that was widened.
        if (rows < 1) {
            throw node.fault("multiplies by " + weight);
        }
        return List.of(input.withLast(rows));
    }

    /** A value that is not known before the graph runs: what could be folded could grow without bound while loading. */
    static TensorShape activation(NodeReader node, int input) {
        TensorShape shape = node.shape(input);
        if (shape.type() != ElementType.FLOAT || shape.dims().size() < 2 || shape.last() < 1 || !varies(shape)) {
            throw node.fault("input " + input + " is " + shape);
        }
        return shape;
    }
}
