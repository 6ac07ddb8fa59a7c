package dev.meridian.builder.source;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Turns a config.json into a {@link ModelConfig}, or refuses it by the name of what is not supported. Defaults are
 * those of the families' configuration classes in Hugging Face transformers.
 */
public final class ConfigReader {
    private static final int MAX_DIMENSION = 1 << 20;
    private static final int MAX_LAYERS = 1024;
    private static final int MAX_CONTEXT = 1 << 24;
    private static final int MAX_VOCABULARY = 1 << 22;
    private static final double MAX_NUMBER = 1e30;
    private static final int QWEN3_HEAD_DIM = 128;
    private static final double DEFAULT_ROPE_THETA = 10_000;
    private static final double DEFAULT_NORM_EPSILON = 1e-6;

    private final Path file;
    private final JsonNode root;

    private ConfigReader(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    public static ModelConfig read(Path file) throws ImportException, IOException {
        return new ConfigReader(file, JsonFiles.object(file)).config();
    }

    private ModelConfig config() throws ImportException {
        Family family = family();
        refuseForeignFeatures();
        int hidden = integer("hidden_size", MAX_DIMENSION);
        int heads = integer("num_attention_heads", MAX_DIMENSION);
        int kvHeads = present("num_key_value_heads") || family != Family.LLAMA
                ? integer("num_key_value_heads", MAX_DIMENSION)
                : heads;
        int context = integer("max_position_embeddings", MAX_CONTEXT);
        refuseSlidingWindow(context);
        boolean attentionBias = flag("attention_bias", false) && (family == Family.LLAMA || family == Family.QWEN3);
        JsonNode rope = ropeParameters();
        return checked(new ModelConfig(
                family,
                integer("num_hidden_layers", MAX_LAYERS),
                hidden,
                integer("intermediate_size", MAX_DIMENSION),
                heads,
                kvHeads,
                headDim(family, hidden, heads),
                integer("vocab_size", MAX_VOCABULARY),
                context,
                (float) positive(root, "rms_norm_eps", DEFAULT_NORM_EPSILON),
                positive(rope.has("rope_theta") ? rope : root, "rope_theta", DEFAULT_ROPE_THETA),
                ropeScaling(rope, context),
                flag("tie_word_embeddings", false),
                attentionBias || family == Family.QWEN2,
                attentionBias,
                flag("mlp_bias", false) && family == Family.LLAMA,
                family == Family.QWEN3));
    }

    private Family family() throws ImportException {
        String type = root.path("model_type").asText("");
        return Family.of(type)
                .orElseThrow(() -> refuse("model_type '" + type + "' is not supported; these are: " + Family.labels()));
    }

    private void refuseForeignFeatures() throws ImportException {
        JsonNode architectures = root.path("architectures");
        if (!architectures.isEmpty()
                && architectures.valueStream().noneMatch(a -> a.asText().endsWith("ForCausalLM"))) {
            throw refuse("architectures " + architectures + " is not supported; a causal language model is needed");
        }
        if (present("quantization_config")) {
            throw refuse("quantization_config is present: the weights are quantised already; import the original");
        }
        for (String key : new String[] {"num_local_experts", "num_experts", "n_routed_experts"}) {
            if (root.path(key).asInt(0) > 0) {
                throw refuse(key + " is set: mixture-of-experts models are not supported");
            }
        }
        String activation = root.path("hidden_act").asText("silu");
        if (!activation.equals("silu")) {
            throw refuse("hidden_act '" + activation + "' is not supported; silu is");
        }
        if (root.path("partial_rotary_factor").asDouble(1) != 1) {
            throw refuse("partial_rotary_factor " + root.path("partial_rotary_factor") + " is not supported; 1 is");
        }
        for (JsonNode layer : root.path("layer_types")) {
            if (!layer.asText().equals("full_attention")) {
                throw refuse("layer_types contains '" + layer.asText() + "', which is not supported");
            }
        }
    }

    /** A window as wide as the context hides no position; Qwen's windows start at layer max_window_layers. */
    private void refuseSlidingWindow(int context) throws ImportException {
        boolean used = flag("use_sliding_window", family() == Family.MISTRAL || family() == Family.LLAMA);
        boolean someLayer = !present("max_window_layers")
                || root.path("max_window_layers").asInt()
                        < root.path("num_hidden_layers").asInt();
        if (used
                && someLayer
                && present("sliding_window")
                && root.path("sliding_window").asLong(0) < context) {
            throw refuse("sliding_window " + root.path("sliding_window") + " is active (context " + context
                    + "): sliding-window attention is not supported");
        }
    }

    private int headDim(Family family, int hidden, int heads) throws ImportException {
        if (present("head_dim")) {
            return integer("head_dim", MAX_DIMENSION);
        }
        if (family == Family.QWEN3) {
            return QWEN3_HEAD_DIM;
        }
        if (hidden % heads != 0) {
            throw refuse("hidden_size " + hidden + " is not a multiple of num_attention_heads " + heads);
        }
        return hidden / heads;
    }

    /**
     * The newer layout has one object for all of RoPE; the older one has {@code rope_scaling} beside {@code
     * rope_theta}.
     */
    private JsonNode ropeParameters() throws ImportException {
        JsonNode rope = present("rope_parameters") ? root.path("rope_parameters") : root.path("rope_scaling");
        if (rope.isNull() || rope.isMissingNode()) {
            return root.path("rope_scaling").isObject() ? root.path("rope_scaling") : JsonFiles.JSON.createObjectNode();
        }
        if (!rope.isObject()) {
            throw refuse("rope_scaling is not an object");
        }
        if (rope.valueStream().anyMatch(JsonNode::isObject)) {
            throw refuse("rope_parameters per layer type are not supported");
        }
        return rope;
    }

    private RopeScaling ropeScaling(JsonNode rope, int context) throws ImportException {
        String type = rope.path("rope_type").asText(rope.path("type").asText("default"));
        if (rope.path("partial_rotary_factor").asDouble(1) != 1) {
            throw refuse("partial_rotary_factor " + rope.path("partial_rotary_factor") + " is not supported; 1 is");
        }
        return switch (type) {
            case "default" -> new RopeScaling.None();
            case "linear" -> new RopeScaling.Linear(positive(rope, "factor", 0));
            case "llama3" -> llama3(rope, context);
            default -> throw refuse("rope_scaling type '" + type + "' is not supported; linear and llama3 are");
        };
    }

    private RopeScaling.Llama3 llama3(JsonNode rope, int context) throws ImportException {
        var scaling = new RopeScaling.Llama3(
                positive(rope, "factor", 0),
                positive(rope, "low_freq_factor", 0),
                positive(rope, "high_freq_factor", 0),
                positive(rope, "original_max_position_embeddings", context));
        if (scaling.highFreqFactor() <= scaling.lowFreqFactor()) {
            throw refuse("rope_scaling: high_freq_factor must be greater than low_freq_factor");
        }
        return scaling;
    }

    private ModelConfig checked(ModelConfig config) throws ImportException {
        if (config.heads() % config.kvHeads() != 0) {
            throw refuse("num_attention_heads " + config.heads() + " is not a multiple of num_key_value_heads "
                    + config.kvHeads());
        }
        if (!(config.normEpsilon() > 0 && config.normEpsilon() <= 1)) {
            throw refuse("rms_norm_eps " + config.normEpsilon() + " is not between 0 and 1");
        }
        if (config.headDim() % 16 != 0) {
            // ONNX Runtime's GroupQueryAttention rotates only whole groups of 16.
            throw refuse("head_dim " + config.headDim() + " is not supported; multiples of 16 are");
        }
        if ((long) config.heads() * config.headDim() > MAX_DIMENSION) {
            throw refuse("num_attention_heads times head_dim is larger than " + MAX_DIMENSION);
        }
        return config;
    }

    private boolean present(String key) {
        return root.hasNonNull(key);
    }

    private int integer(String key, int max) throws ImportException {
        JsonNode value = root.path(key);
        if (value.isMissingNode() || value.isNull()) {
            throw refuse(key + " is missing");
        }
        if (!value.isIntegralNumber() || value.asLong() < 1 || !value.canConvertToInt() || value.asInt() > max) {
            throw refuse(key + " " + value + " is not a whole number from 1 to " + max);
        }
        return value.asInt();
    }

    /** A default of 0 means that there is none. */
    private double positive(JsonNode node, String key, double otherwise) throws ImportException {
        JsonNode value = node.path(key);
        if (!node.hasNonNull(key) && otherwise > 0) {
            return otherwise;
        }
        if (!value.isNumber() || !(value.asDouble() > 0 && value.asDouble() < MAX_NUMBER)) {
            throw refuse(key + " " + (value.isMissingNode() ? "is missing" : value + " is not a positive number"));
        }
        return value.asDouble();
    }

    private boolean flag(String key, boolean otherwise) throws ImportException {
        JsonNode value = root.path(key);
        if (!root.hasNonNull(key)) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            throw refuse(key + " " + value + " is neither true nor false");
        }
        return value.asBoolean();
    }

    private ImportException refuse(String what) {
        return new ImportException(file + ": " + what);
    }
}
