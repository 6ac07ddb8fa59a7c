package dev.meridian.engine.bundle;

import static dev.meridian.engine.bundle.TensorShape.BATCH;
import static dev.meridian.engine.bundle.TensorShape.POSITIONS;
import static dev.meridian.engine.bundle.TensorShape.SLOTS;
import static dev.meridian.engine.bundle.TensorShape.TOKENS;

import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import java.util.List;

/** The rules of {@link DecoderRules} for attention: heads, caches and rotary tables are those of the manifest's shape. */
final class AttentionRules {
    private AttentionRules() {}

    /** ONNX Runtime's. */
    static List<TensorShape> groupQuery(NodeReader node, ModelShape shape) {
        node.arity(9, 3);
        node.integer("num_heads", shape.heads(), shape.heads());
        node.integer("kv_num_heads", shape.kvHeads(), shape.kvHeads());
        node.integer("do_rotary", 1, 1);
        node.integer("rotary_interleaved", 0, 0);
        expectProjections(node, shape, 1);
        TensorShape cache = cache(shape, false, POSITIONS);
        node.expect(3, cache);
        node.expect(4, cache);
        node.expect(5, TensorShape.of(ElementType.INT32, BATCH));
        node.expect(6, TensorShape.of(ElementType.INT32));
        expectRotary(node, shape, 7);
        requireOwnCache(node, 3);
        return List.of(TensorShape.floats(BATCH, TOKENS, queries(shape)), cache, cache);
    }

    /** Meridian's own. */
    static List<TensorShape> block(NodeReader node, ModelShape shape) {
        node.arity(9, 3);
        node.integer("heads", shape.heads(), shape.heads());
        node.integer("kv_heads", shape.kvHeads(), shape.kvHeads());
        node.integer("head_dim", shape.headDim(), shape.headDim());
        expectProjections(node, shape, 7);
        TensorShape cache = cache(shape, true, POSITIONS);
        node.expect(1, cache);
        node.expect(2, cache);
        node.expect(3, TensorShape.of(ElementType.INT32, TOKENS));
        node.expect(4, TensorShape.of(ElementType.INT32, TOKENS));
        expectRotary(node, shape, 5);
        requireOwnCache(node, 1);
        return List.of(TensorShape.floats(BATCH, TOKENS, queries(shape)), cache, cache);
    }

    /** The cache of a layer's keys or values as a graph declares it. */
    static TensorShape cache(ModelShape shape, boolean kernels, long positions) {
        return TensorShape.of(
                kernels ? ElementType.FLOAT16 : ElementType.FLOAT,
                kernels ? SLOTS : BATCH,
                shape.kvHeads(),
                positions,
                shape.headDim());
    }

    private static long queries(ModelShape shape) {
        return (long) shape.heads() * shape.headDim();
    }

    /** All in the first input, or queries there, and keys and values in two inputs from {@code keysAt} on. */
    private static void expectProjections(NodeReader node, ModelShape shape, int keysAt) {
        long keys = (long) shape.kvHeads() * shape.headDim();
        if (node.has(keysAt)) {
            node.expect(0, TensorShape.floats(BATCH, TOKENS, queries(shape)));
            node.expect(keysAt, TensorShape.floats(BATCH, TOKENS, keys));
            node.expect(keysAt + 1, TensorShape.floats(BATCH, TOKENS, keys));
        } else {
            node.expect(0, TensorShape.floats(BATCH, TOKENS, queries(shape) + 2 * keys));
            if (node.has(keysAt + 1)) {
                throw node.fault("values without keys");
            }
        }
    }

    private static void expectRotary(NodeReader node, ModelShape shape, int cosinesAt) {
        TensorShape rotary = TensorShape.floats(shape.contextTokens(), shape.headDim() / 2);
        node.expectConstant(cosinesAt, rotary);
        node.expectConstant(cosinesAt + 1, rotary);
    }

    /** What a layer writes must be the memory that it read: both are one buffer. */
    private static void requireOwnCache(NodeReader node, int pastAt) {
        for (int i = 0; i < 2; i++) {
            String past = node.name(pastAt + i);
            String present = node.node().outputs().get(1 + i);
            if (!past.startsWith("past.") || !present.equals("present." + past.substring(5))) {
                throw node.fault("reads the cache " + past + " and writes " + present);
            }
        }
    }
}
