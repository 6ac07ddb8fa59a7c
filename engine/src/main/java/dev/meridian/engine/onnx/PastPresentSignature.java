package dev.meridian.engine.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.GraphLayout;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Element types of a ready-made decoder, read from its session. That they are types which make sense was checked with the
 * bundle.
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

    static PastPresentSignature read(GraphLayout layout, Map<String, NodeInfo> inputs, Map<String, NodeInfo> outputs) {
        String mask = layout.attentionMask();
        String positions = layout.positionIds();
        TensorInfo cache = tensor(inputs, layout.past().getFirst());
        return new PastPresentSignature(
                tensor(inputs, layout.inputIds()).type,
                mask == null ? null : tensor(inputs, mask).type,
                positions == null ? null : tensor(inputs, positions).type,
                cache.type,
                tensor(outputs, layout.logits()).type,
                cache.getShape().length == GraphLayout.COMBINED_DIMS);
    }

    /** The dimensions of a cache of {@code positions} positions of one sequence. */
    long[] cacheDims(ModelShape shape, int positions) {
        return combined
                ? new long[] {2, 1, shape.kvHeads(), positions, shape.headDim()}
                : new long[] {1, shape.kvHeads(), positions, shape.headDim()};
    }

    private static TensorInfo tensor(Map<String, NodeInfo> all, String name) {
        NodeInfo node = all.get(name);
        if (node == null || !(node.getInfo() instanceof TensorInfo info)) {
            throw new BundleException("the graph has no tensor " + name);
        }
        return info;
    }
}
