package dev.meridian.builder;

import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.ElementType;
import dev.meridian.engine.bundle.GraphLayout;
import dev.meridian.engine.bundle.OnnxFile;
import dev.meridian.engine.bundle.OnnxFile.Attribute;
import dev.meridian.engine.bundle.OnnxFile.Dim;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import dev.meridian.engine.bundle.OnnxFile.Node;
import dev.meridian.engine.bundle.OnnxFile.Value;
import dev.meridian.engine.bundle.PastPresentCheck;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Finds out from a ready-made graph and its configuration what a manifest says of a model. */
final class GraphReader {
    /** Where a head's width and number stand in a cache's dimensions, counted from the last. */
    private static final int HEAD_DIM_FROM_END = 1;

    private static final int HEADS_FROM_END = 3;
    private static final int USUAL_MLP_FACTOR = 4;

    /** Inputs of graphs that are no plain decoders, by what they begin with. */
    private static final Map<String, String> FOREIGN = Map.of(
            "use_cache_branch", "a merged decoder, two graphs in one; choose one that is not merged",
            "inputs_embeds", "it reads embeddings that another graph makes, not token ids",
            "encoder_", "a decoder that needs an encoder",
            "block_table", "its caches are paged by onnxruntime-genai's engine",
            "past_conv", "the state of a convolution, which is no KV cache",
            "num_logits_to_keep", "a choice of rows, which is not supported");

    private final GraphSource source;
    private final OnnxFile model;
    private final Map<String, Value> inputs;
    private final Map<String, Value> outputs;
    private final int layers;

    GraphReader(GraphSource source, OnnxFile model) throws ImportException {
        this.source = source;
        this.model = model;
        inputs = byName(model.graph().inputs());
        outputs = byName(model.graph().outputs());
        layers = source.names().layers(inputs.keySet());
        refuseForeign();
        if (layers == 0) {
            throw refuse("takes no " + source.names().past().getFirst().replace("%d", "0")
                    + ": exported without KV caches, or under other names");
        }
    }

    private static Map<String, Value> byName(List<Value> values) {
        Map<String, Value> map = new HashMap<>();
        values.forEach(value -> map.put(value.name(), value));
        return map;
    }

    private ImportException refuse(String what) {
        return new ImportException(source.graphFile() + ": " + what);
    }

    private void refuseForeign() throws ImportException {
        GraphNames names = source.names();
        Set<String> left = new TreeSet<>(inputs.keySet());
        left.removeAll(Set.of(names.inputIds(), names.attentionMask(), names.positionIds()));
        left.removeAll(GraphNames.all(names.past(), layers));
        for (String name : left) {
            for (Map.Entry<String, String> known : FOREIGN.entrySet()) {
                if (name.startsWith(known.getKey())) {
                    throw refuse("takes '" + name + "': " + known.getValue());
                }
            }
        }
        if (!left.isEmpty()) {
            throw refuse("takes " + left + ", which nobody gives it");
        }
        if (!inputs.containsKey(names.inputIds())) {
            throw refuse("takes no " + names.inputIds());
        }
    }

    GraphLayout layout() throws ImportException {
        GraphNames names = source.names();
        List<String> present = GraphNames.all(names.present(), layers);
        for (String output : present) {
            if (!outputs.containsKey(output)) {
                throw refuse("gives no " + output);
            }
        }
        return new GraphLayout(
                GraphLayout.PAST_PRESENT,
                names.inputIds(),
                ifThere(names.attentionMask()),
                ifThere(names.positionIds()),
                names.logits(),
                GraphNames.all(names.past(), layers),
                present);
    }

    private @Nullable String ifThere(String input) {
        return inputs.containsKey(input) ? input : null;
    }

    private Value cache() throws ImportException {
        String name = GraphNames.all(source.names().past(), 1).getFirst();
        Value value = inputs.get(name);
        if (value == null || value.dims().size() < HEADS_FROM_END) {
            throw refuse(name + " has too few dimensions for a cache of keys or values");
        }
        return value;
    }

    /** Dimensions that the graph fixes count before the configuration's. */
    ModelShape shape() throws ImportException {
        Value logits = outputs.get(source.names().logits());
        if (logits == null) {
            throw refuse("gives no " + source.names().logits());
        }
        int kvHeads = fixed(cache(), HEADS_FROM_END)
                .orElse(source.dimension("num_key_value_heads", "num_kv_heads").orElse(0));
        if (kvHeads == 0) {
            kvHeads = source.required("num_attention_heads", "n_head", "num_heads");
        }
        int heads =
                source.dimension("num_attention_heads", "n_head", "num_heads").orElse(kvHeads);
        OptionalInt fixedDim = fixed(cache(), HEAD_DIM_FROM_END);
        OptionalInt headDim = fixedDim.isPresent() ? fixedDim : source.dimension("head_size", "head_dim");
        OptionalInt hidden = source.dimension("hidden_size", "n_embd", "d_model");
        if (headDim.isEmpty() && hidden.isEmpty()) {
            throw new ImportException(source.configFile() + ": neither head_dim nor hidden_size is there");
        }
        int width = headDim.isPresent() ? headDim.getAsInt() : Math.max(1, hidden.getAsInt() / heads);
        int hiddenSize = hidden.orElse(heads * width);
        OptionalInt vocab = fixed(logits, 1);
        try {
            return new ModelShape(
                    layers,
                    hiddenSize,
                    source.dimension("intermediate_size", "n_inner", "ffn_dim").orElse(USUAL_MLP_FACTOR * hiddenSize),
                    heads,
                    kvHeads,
                    width,
                    vocab.isPresent() ? vocab.getAsInt() : source.required("vocab_size"),
                    source.required("max_position_embeddings", "context_length", "n_positions", "n_ctx"));
        } catch (IllegalArgumentException e) {
            throw new ImportException(source.configFile() + ": " + e.getMessage(), e);
        }
    }

    private static OptionalInt fixed(Value value, int fromEnd) {
        List<Dim> dims = value.dims();
        return dims.size() >= fromEnd
                        && dims.get(dims.size() - fromEnd) instanceof Dim.Fixed(long size)
                        && size > 0
                        && size <= Integer.MAX_VALUE
                ? OptionalInt.of((int) size)
                : OptionalInt.empty();
    }

    MemoryNeed memory(ModelShape shape) throws ImportException {
        return new MemoryNeed(
                PastPresentCheck.loadedBytes(model), PastPresentCheck.kvBytesPerToken(shape, cache().type()), 0);
    }

    /** {@code f16} or {@code f32}. */
    String kv() throws ImportException {
        return cache().type() == ElementType.FLOAT16 ? "f16" : "f32";
    }

    /** The type that most bytes of constants have; of packed blocks the operator that reads them knows the bits. */
    String weights() {
        Map<String, Long> packedBits = new HashMap<>();
        for (Node node : model.graph().nodes()) {
            if (node.operator().equals("MatMulNBits") || node.operator().equals("GatherBlockQuantized")) {
                long bits = node.attributes().get("bits") instanceof Attribute.Int(long value) ? value : 4;
                node.inputs().forEach(input -> packedBits.put(input, bits));
            }
        }
        Map<String, Long> bytes = model.graph().initializers().stream()
                .collect(Collectors.groupingBy(
                        constant -> label(constant, packedBits), Collectors.summingLong(Initializer::bytes)));
        return bytes.entrySet().stream()
                .max(Map.Entry.<String, Long>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .map(Map.Entry::getKey)
                .orElse("none");
    }

    private static String label(Initializer constant, Map<String, Long> packedBits) {
        Map<ElementType, String> labels = new EnumMap<>(Map.of(
                ElementType.FLOAT, "f32",
                ElementType.FLOAT16, "f16",
                ElementType.BFLOAT16, "bf16",
                ElementType.INT8, "int8",
                ElementType.UINT8, "int8",
                ElementType.INT4, "int4",
                ElementType.UINT4, "int4"));
        Long bits = packedBits.get(constant.name());
        boolean packed = bits != null && constant.type() == ElementType.UINT8;
        return packed
                ? "int" + bits
                : labels.getOrDefault(constant.type(), constant.type().name().toLowerCase(java.util.Locale.ROOT));
    }
}
