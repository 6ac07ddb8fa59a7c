package dev.meridian.engine.bundle;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The content of {@code bundle.json}: all that is known of a variant without reading its weights. Constructors throw
 * IllegalArgumentException that names the value, for a manifest may come from anywhere.
 *
 * @param format version of this format, {@value #FORMAT}
 * @param name what the source calls itself, for people; a model's id is its folder's name
 * @param family {@code llama}, {@code mistral}, {@code qwen2} or {@code qwen3}; of a ready-made graph its own word
 * @param weights {@code f32}, {@code int8} or {@code int4}; of a ready-made graph the type that most weights have
 * @param kv element type of the KV cache, {@code f32}; of a ready-made graph also {@code f16}
 * @param bosTokenId null where the model has none
 * @param eosTokenIds each of them ends a generation
 * @param defaults the model's own sampling defaults
 * @param license SPDX id or the source's own word, {@code unknown} where it says nothing
 * @param sourceDigest SHA-256 over the source files' names and SHA-256, in hexadecimal
 * @param files every other file of the bundle, by plain name
 * @param graph how the graph names what it takes and gives; null where it is of Meridian's own layout
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
        Map<String, BundleFile> files,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable GraphLayout graph) {
    public static final int FORMAT = 1;
    public static final String FILE_NAME = "bundle.json";
    public static final String MODEL_FILE = "model.onnx";
    public static final String WEIGHTS_FILE = "model.onnx.data";

    public BundleManifest {
        requireText(name, "name");
        requireText(family, "family");
        requireText(weights, "weights");
        requireText(kv, "kv");
        requireText(license, "license");
        requireText(sourceDigest, "sourceDigest");
        require(shape, "shape");
        require(memory, "memory");
        require(defaults, "defaults");
        eosTokenIds = copy(require(eosTokenIds, "eosTokenIds"), "eosTokenIds");
        files = new TreeMap<>(require(files, "files"));
        files.forEach((file, entry) -> require(entry, "files: " + file));
        for (int id : eosTokenIds) {
            requireToken(id, "eosTokenIds", shape);
        }
        if (bosTokenId != null) {
            requireToken(bosTokenId, "bosTokenId", shape);
        }
    }

    /** A bundle whose graph is of Meridian's own layout. */
    public BundleManifest(
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
        this(
                format,
                name,
                family,
                shape,
                weights,
                kv,
                memory,
                bosTokenId,
                eosTokenIds,
                defaults,
                license,
                sourceDigest,
                files,
                null);
    }

    private static <T> T require(@Nullable T value, String name) {
        if (value == null) {
            throw new IllegalArgumentException(name + " is missing");
        }
        return value;
    }

    private static List<Integer> copy(List<Integer> ids, String name) {
        for (int i = 0; i < ids.size(); i++) {
            require(ids.get(i), name + ": [" + i + "]");
        }
        return List.copyOf(ids);
    }

    private static void requireText(@Nullable String value, String name) {
        if (require(value, name).isBlank()) {
            throw new IllegalArgumentException(name + " is empty");
        }
    }

    private static void requireAtLeast(long least, long value, String name) {
        if (value < least) {
            throw new IllegalArgumentException(name + " is " + value + ", expected at least " + least);
        }
    }

    private static void requireToken(int id, String name, ModelShape shape) {
        if (id < 0 || id >= shape.vocabSize()) {
            throw new IllegalArgumentException(
                    name + ": " + id + " is outside the vocabulary of " + shape.vocabSize() + " tokens");
        }
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
            int contextTokens) {
        public ModelShape {
            requireAtLeast(1, layers, "layers");
            requireAtLeast(1, hiddenSize, "hiddenSize");
            requireAtLeast(1, intermediateSize, "intermediateSize");
            requireAtLeast(1, heads, "heads");
            requireAtLeast(1, kvHeads, "kvHeads");
            requireAtLeast(1, headDim, "headDim");
            requireAtLeast(1, vocabSize, "vocabSize");
            // A prompt's token and one that answers it.
            requireAtLeast(2, contextTokens, "contextTokens");
            if (heads % kvHeads != 0) {
                throw new IllegalArgumentException("heads is " + heads + ", no multiple of kvHeads " + kvHeads);
            }
        }
    }

    /**
     * What loading takes, in bytes.
     *
     * @param weightBytes the weights as loaded
     * @param kvBytesPerToken KV cache of one position over all layers
     * @param scratchBytes an estimate of activations for one prefill chunk and one decode batch
     */
    public record MemoryNeed(long weightBytes, long kvBytesPerToken, long scratchBytes) {
        public MemoryNeed {
            requireAtLeast(1, weightBytes, "weightBytes");
            requireAtLeast(1, kvBytesPerToken, "kvBytesPerToken");
            requireAtLeast(0, scratchBytes, "scratchBytes");
        }
    }

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
    public record BundleFile(long bytes, String sha256) {
        public BundleFile {
            requireAtLeast(0, bytes, "bytes");
            requireText(sha256, "sha256");
        }
    }
}
