package dev.meridian.builder;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.meridian.engine.onnx.OnnxEnvironment;
import dev.meridian.engine.onnx.UnpackedWeights;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs an exported graph in ONNX Runtime with keys and values in place: past and present are the same memory. */
final class GraphSession implements AutoCloseable {
    private final OrtEnvironment environment = OnnxEnvironment.get();
    private final OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    private final OrtSession session;
    private final UnpackedWeights weights;
    private final int layers;
    private final int kvHeads;
    private final int headDim;
    private final int maxTokens;
    private final List<FloatBuffer> caches = new ArrayList<>();

    GraphSession(Path model, UnpackedWeights weights, int layers, int kvHeads, int headDim, int maxTokens, int slots)
            throws OrtException {
        this.layers = layers;
        this.kvHeads = kvHeads;
        this.headDim = headDim;
        this.maxTokens = maxTokens;
        this.weights = weights;
        options.setIntraOpNumThreads(2);
        if (!weights.tensors().isEmpty()) {
            options.addExternalInitializers(weights.tensors());
        }
        session = environment.createSession(model.toString(), options);
        for (int i = 0; i < 2 * layers; i++) {
            caches.add(direct(4 * slots * slotFloats()).asFloatBuffer());
        }
    }

    /**
     * Runs {@code tokens[row]} for the rows from slot {@code slot} on, each after {@code past[row]} earlier tokens, and
     * returns the logits of the flattened rows {@code wanted}.
     */
    float[][] run(int slot, int[][] tokens, int[] past, long... wanted) throws OrtException {
        int batch = tokens.length;
        int length = tokens[0].length;
        LongBuffer ids = direct(8 * batch * length).asLongBuffer();
        IntBuffer filled = direct(4 * batch).asIntBuffer();
        int most = 0;
        for (int row = 0; row < batch; row++) {
            for (int token : tokens[row]) {
                ids.put(token);
            }
            filled.put(past[row] + length - 1);
            most = Math.max(most, past[row] + length);
        }
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Map<String, OnnxTensor> outputs = new HashMap<>();
        inputs.put("input_ids", OnnxTensor.createTensor(environment, ids.flip(), new long[] {batch, length}));
        inputs.put("seqlens_k", OnnxTensor.createTensor(environment, filled.flip(), new long[] {batch}));
        inputs.put(
                "total_sequence_length",
                OnnxTensor.createTensor(environment, IntBuffer.wrap(new int[] {most}), new long[] {}));
        inputs.put(
                "logit_idx", OnnxTensor.createTensor(environment, LongBuffer.wrap(wanted), new long[] {wanted.length}));
        for (int layer = 0; layer < layers; layer++) {
            bind(inputs, outputs, layer, "key", caches.get(2 * layer), slot, batch);
            bind(inputs, outputs, layer, "value", caches.get(2 * layer + 1), slot, batch);
        }
        try (var result = session.run(inputs, java.util.Set.of("logits"), outputs, null)) {
            return (float[][]) result.get("logits").orElseThrow().getValue();
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private void bind(
            Map<String, OnnxTensor> inputs,
            Map<String, OnnxTensor> outputs,
            int layer,
            String part,
            FloatBuffer cache,
            int slot,
            int batch)
            throws OrtException {
        FloatBuffer rows = cache.slice(slot * slotFloats(), batch * slotFloats());
        OnnxTensor tensor = OnnxTensor.createTensor(environment, rows, new long[] {batch, kvHeads, maxTokens, headDim});
        inputs.put("past." + layer + "." + part, tensor);
        outputs.put("present." + layer + "." + part, tensor);
    }

    private int slotFloats() {
        return kvHeads * maxTokens * headDim;
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() throws OrtException {
        session.close();
        options.close();
        weights.close();
    }
}
