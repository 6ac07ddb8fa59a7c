package dev.meridian.engine.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.GraphLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Element types of a ready-made decoder, read from its session and checked against the manifest. Throws BundleException
 * that names the input or output which does not fit.
 *
 * @param ids INT64 or INT32
 * @param mask INT64 or INT32; null where the graph takes none
 * @param positions INT64 or INT32; null where the graph takes none
 * @param cache FLOAT or FLOAT16, the same for all
 * @param logits FLOAT or FLOAT16
 * @param combined keys and values come in one tensor, {@code [2, 1, kvHeads, P, headDim]}
 */
record PastPresentSignature(
        OnnxJavaType ids,
        @Nullable OnnxJavaType mask,
        @Nullable OnnxJavaType positions,
        OnnxJavaType cache,
        OnnxJavaType logits,
        boolean combined) {
    private static final Set<OnnxJavaType> WHOLE = Set.of(OnnxJavaType.INT64, OnnxJavaType.INT32);
    private static final Set<OnnxJavaType> REAL = Set.of(OnnxJavaType.FLOAT, OnnxJavaType.FLOAT16);
    private static final int PAIR_RANK = 4;
    private static final int COMBINED_RANK = 5;

    static PastPresentSignature read(
            GraphLayout layout, ModelShape shape, Map<String, NodeInfo> inputs, Map<String, NodeInfo> outputs) {
        Set<String> foreign = new TreeSet<>(inputs.keySet());
        foreign.removeAll(layout.inputs());
        if (!foreign.isEmpty()) {
            throw new BundleException("the graph takes " + foreign + ", which nobody gives it");
        }
        TensorInfo first = tensor(inputs, layout.past().getFirst());
        int rank = first.getShape().length;
        if (rank != PAIR_RANK && rank != COMBINED_RANK) {
            throw new BundleException(layout.past().getFirst() + " has " + rank + " dimensions; 4 are known, or 5 where"
                    + " keys and values come together");
        }
        boolean combined = rank == COMBINED_RANK;
        if (layout.past().size() != shape.layers() * (combined ? 1 : 2)) {
            throw new BundleException(layout.past().size() + " caches do not fit " + shape.layers() + " layers");
        }
        var signature = new PastPresentSignature(
                type(inputs, layout.inputIds(), WHOLE),
                optional(inputs, layout.attentionMask()),
                optional(inputs, layout.positionIds()),
                type(inputs, layout.past().getFirst(), REAL),
                type(outputs, layout.logits(), REAL),
                combined);
        layout.past().forEach(name -> signature.requireCache(tensor(inputs, name), name, shape));
        layout.present().forEach(name -> signature.requireCache(tensor(outputs, name), name, shape));
        return signature;
    }

    /** The dimensions of a cache of {@code positions} positions of one sequence. */
    long[] cacheDims(ModelShape shape, int positions) {
        return combined
                ? new long[] {2, 1, shape.kvHeads(), positions, shape.headDim()}
                : new long[] {1, shape.kvHeads(), positions, shape.headDim()};
    }

    /** Bytes of keys and values of one position over all layers. */
    long kvBytesPerToken(ModelShape shape) {
        return 2L * shape.layers() * shape.kvHeads() * shape.headDim() * cache.size;
    }

    private void requireCache(TensorInfo info, String name, ModelShape shape) {
        // -1 stands for a dimension that varies: the batch and the positions do, and others may be left unsaid.
        long[] most = cacheDims(shape, -1);
        long[] dims = info.getShape();
        boolean fits = dims.length == most.length && info.type == cache;
        for (int i = 0; fits && i < dims.length; i++) {
            fits = dims[i] == -1 || dims[i] == most[i];
        }
        if (!fits) {
            throw new BundleException(name + " is " + info.type + " " + Arrays.toString(dims) + ", expected " + cache
                    + " " + Arrays.toString(most));
        }
    }

    private static @Nullable OnnxJavaType optional(Map<String, NodeInfo> inputs, @Nullable String name) {
        return name == null ? null : type(inputs, name, WHOLE);
    }

    private static OnnxJavaType type(Map<String, NodeInfo> all, String name, Set<OnnxJavaType> known) {
        OnnxJavaType type = tensor(all, name).type;
        if (!known.contains(type)) {
            throw new BundleException(name + " is of type " + type + ", expected one of " + new TreeSet<>(known));
        }
        return type;
    }

    private static TensorInfo tensor(Map<String, NodeInfo> all, String name) {
        NodeInfo node = all.get(name);
        if (node == null) {
            throw new BundleException("the graph has no " + name);
        }
        if (!(node.getInfo() instanceof TensorInfo info)) {
            throw new BundleException(name + " is no tensor");
        }
        return info;
    }
}
