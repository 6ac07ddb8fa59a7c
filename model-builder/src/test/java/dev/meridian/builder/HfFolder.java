package dev.meridian.builder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * Writes small Hugging Face folders with random weights: config.json, safetensors, a tokenizer. For the tests of this
 * and other modules.
 */
public final class HfFolder {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectNode config;
    private final Map<String, int[]> shapes = new LinkedHashMap<>();
    private final Map<String, Double> factors = new LinkedHashMap<>();
    private String type = "F32";
    private int shards = 1;
    private List<String> tables = List.of();

    private HfFolder(ObjectNode config) {
        this.config = config;
    }

    /** A model of two layers, 64 wide, with 4 heads over 2 KV heads of 16, 97 tokens and 64 positions. */
    public static HfFolder of(String modelType) {
        ObjectNode config = JSON.createObjectNode();
        config.put("model_type", modelType);
        config.putArray("architectures").add("AnyForCausalLM");
        config.put("hidden_size", 64);
        config.put("intermediate_size", 80);
        config.put("num_hidden_layers", 2);
        config.put("num_attention_heads", 4);
        config.put("num_key_value_heads", 2);
        config.put("head_dim", 16);
        config.put("vocab_size", 97);
        config.put("max_position_embeddings", 64);
        config.put("rms_norm_eps", 1e-6);
        config.put("rope_theta", 10000.0);
        config.put("hidden_act", "silu");
        config.put("tie_word_embeddings", false);
        config.put("bos_token_id", 1);
        config.put("eos_token_id", 2);
        return new HfFolder(config);
    }

    /** Sets an entry of config.json to a JSON value. */
    public HfFolder with(String key, String json) {
        try {
            JsonNode value = JSON.readTree(json);
            config.set(key, value);
            return this;
        } catch (IOException e) {
            throw new IllegalArgumentException(json, e);
        }
    }

    public HfFolder without(String key) {
        config.remove(key);
        return this;
    }

    /** Stores the tensors as F32, F16 or BF16. */
    public HfFolder stored(String elementType) {
        type = elementType;
        return this;
    }

    public HfFolder scaled(String tensor, double factor) {
        factors.put(tensor, factor);
        return this;
    }

    public HfFolder sharded(int count) {
        shards = count;
        return this;
    }

    /** Stores only these of {@code model.embed_tokens} and {@code lm_head}; by default both, or the first where tied. */
    public HfFolder tables(String... names) {
        tables = List.of(names);
        return this;
    }

    /** Writes the folder; the same seed gives the same bytes. */
    public Path write(Path folder, long seed) throws IOException {
        writeConfig(folder);
        ByteTokenizer.write(folder.resolve("tokenizer.json"), Math.max(number("vocab_size"), 257));
        shapes.clear();
        declare();
        List<String> names = new ArrayList<>(shapes.keySet());
        if (shards == 1) {
            writeShard(folder.resolve("model.safetensors"), names, seed);
            return folder;
        }
        ObjectNode index = JSON.createObjectNode();
        ObjectNode map = index.putObject("weight_map");
        for (int shard = 0; shard < shards; shard++) {
            String file = "model-%05d-of-%05d.safetensors".formatted(shard + 1, shards);
            List<String> part = new ArrayList<>();
            for (int i = shard; i < names.size(); i += shards) {
                part.add(names.get(i));
                map.put(names.get(i), file);
            }
            writeShard(folder.resolve(file), part, seed);
        }
        Files.writeString(folder.resolve("model.safetensors.index.json"), JSON.writeValueAsString(index));
        return folder;
    }

    /** Writes config.json alone, and returns it. */
    public Path writeConfig(Path folder) throws IOException {
        Files.createDirectories(folder);
        return Files.writeString(folder.resolve("config.json"), JSON.writeValueAsString(config));
    }

    private void declare() {
        String family = config.path("model_type").asText();
        int hidden = number("hidden_size");
        int headDim = config.has("head_dim") ? number("head_dim") : hidden / number("num_attention_heads");
        int queries = number("num_attention_heads") * headDim;
        int kv = number("num_key_value_heads") * headDim;
        boolean declared = config.path("attention_bias").asBoolean();
        boolean qkvBias = declared || family.equals("qwen2");
        boolean mlpBias = config.path("mlp_bias").asBoolean();
        for (String table : tables()) {
            shapes.put(table + ".weight", new int[] {number("vocab_size"), hidden});
        }
        for (int layer = 0; layer < number("num_hidden_layers"); layer++) {
            String prefix = "model.layers." + layer + ".";
            shapes.put(prefix + "input_layernorm.weight", new int[] {hidden});
            linear(prefix + "self_attn.q_proj", queries, hidden, qkvBias);
            linear(prefix + "self_attn.k_proj", kv, hidden, qkvBias);
            linear(prefix + "self_attn.v_proj", kv, hidden, qkvBias);
            linear(prefix + "self_attn.o_proj", hidden, queries, declared);
            if (family.equals("qwen3")) {
                shapes.put(prefix + "self_attn.q_norm.weight", new int[] {headDim});
                shapes.put(prefix + "self_attn.k_norm.weight", new int[] {headDim});
            }
            shapes.put(prefix + "post_attention_layernorm.weight", new int[] {hidden});
            linear(prefix + "mlp.gate_proj", number("intermediate_size"), hidden, mlpBias);
            linear(prefix + "mlp.up_proj", number("intermediate_size"), hidden, mlpBias);
            linear(prefix + "mlp.down_proj", hidden, number("intermediate_size"), mlpBias);
        }
        shapes.put("model.norm.weight", new int[] {hidden});
    }

    private List<String> tables() {
        if (!tables.isEmpty()) {
            return tables;
        }
        boolean tied = config.path("tie_word_embeddings").asBoolean();
        return tied ? List.of("model.embed_tokens") : List.of("model.embed_tokens", "lm_head");
    }

    private int number(String key) {
        return config.get(key).asInt();
    }

    private void linear(String name, int out, int in, boolean bias) {
        shapes.put(name + ".weight", new int[] {out, in});
        if (bias) {
            shapes.put(name + ".bias", new int[] {out});
        }
    }

    private void writeShard(Path file, List<String> names, long seed) throws IOException {
        int size = type.equals("F32") ? 4 : 2;
        ObjectNode header = JSON.createObjectNode();
        header.putObject("__metadata__").put("format", "pt");
        long offset = 0;
        for (String name : names) {
            ObjectNode entry = header.putObject(name).put("dtype", type);
            var shape = entry.putArray("shape");
            for (int dim : shape(name)) {
                shape.add(dim);
            }
            long bytes = (long) elements(name) * size;
            entry.putArray("data_offsets").add(offset).add(offset + bytes);
            offset += bytes;
        }
        byte[] json = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .array());
            out.write(json);
            for (String name : names) {
                out.write(values(name, size, new Random(seed * 31 + name.hashCode())));
            }
        }
    }

    private int[] shape(String name) {
        return Objects.requireNonNull(shapes.get(name), name);
    }

    private int elements(String name) {
        int count = 1;
        for (int dim : shape(name)) {
            count *= dim;
        }
        return count;
    }

    /**
     * Matrices keep the size of what passes through them, norms lie around 1, so that every weight shows in the
     * logits.
     */
    private byte[] values(String name, int size, Random random) {
        int[] shape = shape(name);
        boolean norm = name.endsWith("norm.weight");
        boolean table = tables().contains(name.replace(".weight", "")) && !name.equals("lm_head.weight");
        double deviation = shape.length == 1 ? 0.2 : table ? 1 : 1 / Math.sqrt(shape[1]);
        int count = elements(name);
        ByteBuffer bytes = ByteBuffer.allocate(count * size).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            float value =
                    (float) ((random.nextGaussian() * deviation + (norm ? 1 : 0)) * factors.getOrDefault(name, 1.0));
            switch (type) {
                case "F16" -> bytes.putShort(Float.floatToFloat16(value));
                case "BF16" -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                default -> bytes.putFloat(value);
            }
        }
        return bytes.array();
    }
}
