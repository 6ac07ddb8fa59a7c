package dev.meridian.engine.bundle;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The content of {@code bundle.json}: all that is known of a variant without reading its weights.
 *
 * @param format version of this format, {@value #FORMAT}
 * @param name what the source calls itself, for people; a model's id is its folder's name
 * @param family {@code llama}, {@code mistral}, {@code qwen2} or {@code qwen3}
 * @param weights {@code f32}, {@code int8} or {@code int4}
 * @param kv element type of the KV cache, {@code f32}
 * @param bosTokenId null where the model has none
 * @param eosTokenIds each of them ends a generation
 * @param defaults the model's own sampling defaults
 * @param license SPDX id or the source's own word, {@code unknown} where it says nothing
 * @param sourceDigest SHA-256 over the source files' names and SHA-256, in hexadecimal
 * @param files every other file of the bundle, by plain name
 */
public record BundleManifest(
        int format,
        String name,
        String family,
        ModelShape shape,
        String weights,
        String kv,
        MemoryNeed memory,
        @Nullable Integer bosTokenId,
        List<Integer> eosTokenIds,
        SamplingDefaults defaults,
        String license,
        String sourceDigest,
        Map<String, BundleFile> files) {
    public static final int FORMAT = 1;
    public static final String FILE_NAME = "bundle.json";
    public static final String MODEL_FILE = "model.onnx";
    public static final String WEIGHTS_FILE = "model.onnx.data";

    public BundleManifest {
        eosTokenIds = List.copyOf(eosTokenIds);
        files = new TreeMap<>(files);
    }

    /**
     * The dimensions of a decoder.
     *
     * @param contextTokens the most positions the model was made for
     */
    public record ModelShape(
            int layers,
            int hiddenSize,
            int intermediateSize,
            int heads,
            int kvHeads,
            int headDim,
            int vocabSize,
            int contextTokens) {}

    /**
     * What loading takes, in bytes.
     *
     * @param weightBytes the weights as loaded
     * @param kvBytesPerToken KV cache of one position over all layers
     * @param scratchBytes an estimate of activations for one prefill chunk and one decode batch
     */
    public record MemoryNeed(long weightBytes, long kvBytesPerToken, long scratchBytes) {}

    /** Null means that the source says nothing. */
    public record SamplingDefaults(
            @Nullable Float temperature,
            @Nullable Integer topK,
            @Nullable Float topP,
            @Nullable Float minP,
            @Nullable Float repetitionPenalty) {
        public static SamplingDefaults none() {
            return new SamplingDefaults(null, null, null, null, null);
        }
    }

    /** Length in bytes and SHA-256 in hexadecimal. */
    public record BundleFile(long bytes, String sha256) {}
}
