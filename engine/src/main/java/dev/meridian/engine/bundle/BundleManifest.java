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
 * @param weights {@code f32}, {@code f16}, {@code int8} or {@code int4}; of a ready-made graph the type that most weights have
 * @param kv element type of the KV cache, {@code f32}; of a ready-made graph also {@code f16}
 * @param bosTokenId null where the model has none
 * @param eosTokenIds each of them ends a generation
 * @param defaults the model's own sampling defaults
 * @param license SPDX id or the source's own word, {@code unknown} where it says nothing
 * @param sourceDigest SHA-256 over the source files' names and SHA-256, in hexadecimal
 * @param files every other file of the bundle, by plain name
 * @param graph how the graph names what it takes and gives; null where it is of Meridian's own layout
 * @param packing how quantised weights lie in the weights file, {@value Panels#NAME}, for {@value #KERNELS_FILE} to use in
 *     place; null where there is no such graph
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
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable GraphLayout graph,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String packing) {
    public static final int FORMAT = 1;
    public static final String FILE_NAME = "bundle.json";
    public static final String MODEL_FILE = "model.onnx";
    /** The same model over packed weights, of Meridian's own operators. */
    public static final String KERNELS_FILE = "kernels.onnx";

    public static final String WEIGHTS_FILE = "model.onnx.data";

    // Bounds that keep every product of dimensions that sizes memory below 2^63; no model comes near them.
    private static final int MAX_LAYERS = 1024;
    private static final int MAX_WIDTH = 1 << 20;
    private static final int MAX_VOCABULARY = 1 << 22;
    private static final int MAX_CONTEXT = 1 << 24;
    private static final long MAX_BYTES = 1L << 50;
    private static final int MAX_FILES = 1000;
    private static final int MAX_TOKEN_IDS = 1000;
    private static final int MAX_TEXT = 1000;

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
        requireWithin(0, require(eosTokenIds, "eosTokenIds").size(), MAX_TOKEN_IDS, "the number of eosTokenIds");
        requireWithin(0, require(files, "files").size(), MAX_FILES, "the number of files");
        eosTokenIds = copy(require(eosTokenIds, "eosTokenIds"), "eosTokenIds");
        files = new TreeMap<>(require(files, "files"));
        files.forEach(BundleManifest::requireFile);
        for (int id : eosTokenIds) {
            requireToken(id, "eosTokenIds", shape);
        }
        if (bosTokenId != null) {
            requireToken(bosTokenId, "bosTokenId", shape);
        }
        if ((packing == null) != (memory.mappedWeightBytes() == null)) {
            throw new IllegalArgumentException("packing and memory.mappedWeightBytes are not there together");
        }
        if (packing != null && graph != null) {
            throw new IllegalArgumentException("packing is for Meridian's own layout, which has no graph entry");
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
                null,
                null);
    }

    private static void requireFile(String name, BundleFile entry) {
        if (!FileNames.isPlain(name) || name.equals(FILE_NAME)) {
            throw new IllegalArgumentException("files: '" + FileNames.shown(name) + "' is no file of a bundle's own");
        }
        require(entry, "files: " + name);
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
        String text = require(value, name);
        if (text.isBlank()) {
            throw new IllegalArgumentException(name + " is empty");
        }
        // It is printed: neither a screenful nor what a terminal obeys.
        if (text.length() > MAX_TEXT || text.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(name + " is longer than " + MAX_TEXT + " or has control characters");
        }
    }

    private static void requireWithin(long least, long value, long most, String name) {
        if (value < least) {
            throw new IllegalArgumentException(name + " is " + value + ", expected at least " + least);
        }
        if (value > most) {
            throw new IllegalArgumentException(name + " is " + value + ", expected at most " + most);
        }
    }

    private static void requireWithin(float least, @Nullable Float value, float most, String name) {
        // The comparison is false for NaN.
        if (value != null && !(value >= least && value <= most)) {
            throw new IllegalArgumentException(name + " is " + value + ", expected " + least + " to " + most);
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
            requireWithin(1, layers, MAX_LAYERS, "layers");
            requireWithin(1, hiddenSize, MAX_WIDTH, "hiddenSize");
            requireWithin(1, intermediateSize, MAX_WIDTH, "intermediateSize");
            requireWithin(1, heads, MAX_WIDTH, "heads");
            requireWithin(1, kvHeads, MAX_WIDTH, "kvHeads");
            requireWithin(1, headDim, MAX_WIDTH, "headDim");
            requireWithin(1, vocabSize, MAX_VOCABULARY, "vocabSize");
            // A prompt's token and one that answers it.
            requireWithin(2, contextTokens, MAX_CONTEXT, "contextTokens");
            requireWithin(1, (long) heads * headDim, MAX_WIDTH, "heads times headDim");
            if (heads % kvHeads != 0) {
                throw new IllegalArgumentException("heads is " + heads + ", no multiple of kvHeads " + kvHeads);
            }
        }
    }

    /**
     * What loading takes, in bytes.
     *
     * @param weightBytes the weights as loaded; of a packed bundle, unpacked as {@value BundleManifest#MODEL_FILE} needs them
     * @param kvBytesPerToken KV cache of one position over all layers
     * @param scratchBytes an estimate of activations for one prefill chunk and one decode batch
     * @param mappedWeightBytes the weights of {@value BundleManifest#KERNELS_FILE}, used where they lie in the file; null where
     *     the bundle is not packed
     */
    public record MemoryNeed(
            long weightBytes,
            long kvBytesPerToken,
            long scratchBytes,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Long mappedWeightBytes) {
        public MemoryNeed(long weightBytes, long kvBytesPerToken, long scratchBytes) {
            this(weightBytes, kvBytesPerToken, scratchBytes, null);
        }

        public MemoryNeed {
            requireWithin(1, weightBytes, MAX_BYTES, "weightBytes");
            requireWithin(1, kvBytesPerToken, MAX_BYTES, "kvBytesPerToken");
            requireWithin(0, scratchBytes, MAX_BYTES, "scratchBytes");
            if (mappedWeightBytes != null) {
                requireWithin(1, mappedWeightBytes, MAX_BYTES, "mappedWeightBytes");
            }
        }
    }

    /** Null means that the source says nothing; values are within what a request may ask for. */
    public record SamplingDefaults(
            @Nullable Float temperature,
            @Nullable Integer topK,
            @Nullable Float topP,
            @Nullable Float minP,
            @Nullable Float repetitionPenalty) {
        public SamplingDefaults {
            requireWithin(0, temperature, 2, "temperature");
            requireWithin(Float.MIN_NORMAL, topP, 1, "topP");
            requireWithin(0, minP, 1, "minP");
            requireWithin(0.01f, repetitionPenalty, 10, "repetitionPenalty");
        }

        public static SamplingDefaults none() {
            return new SamplingDefaults(null, null, null, null, null);
        }
    }

    /** Length in bytes and SHA-256 in hexadecimal. */
    public record BundleFile(long bytes, String sha256) {
        public BundleFile {
            requireWithin(0, bytes, MAX_BYTES, "bytes");
            requireText(sha256, "sha256");
        }
    }
}
