package dev.meridian.builder.graph;

import dev.meridian.builder.graph.Onnx.DataType;
import dev.meridian.builder.graph.Onnx.Value;
import dev.meridian.builder.graph.WeightMatrix.Part;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ModelConfig;
import dev.meridian.engine.bundle.GraphCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Builds the graph of a decoder of the Llama and Qwen families for the CPU.
 *
 * <p>For ONNX Runtime's operators. Inputs: {@code input_ids} int64 [B,S]; {@code seqlens_k} int32 [B], positions filled after
 * this step less one; {@code total_sequence_length} int32 scalar, the most of them plus one; {@code logit_idx} int64 [n], rows
 * of the flattened [B*S] whose logits are wanted; {@code past.<layer>.key|value} float32 [B, kvHeads, P, headDim]. Outputs:
 * {@code logits} float32 [n, vocabulary] and {@code present.<layer>.key|value}, which may be the same memory as past.
 *
 * <p>For Meridian's own operators the S tokens of one row ({@code B} is 1) may be of any sequences: {@code slots} and
 * {@code positions}, int32 [S], say where each one stands. The caches are those of all slots, float16 [slots, kvHeads, P,
 * headDim] (how a head lies in its memory is the operator's matter), and present is the very memory of past.
 */
public final class DecoderGraph {
    static final String MICROSOFT = "com.microsoft";

    private final ModelConfig config;
    private final TokenTables tables;
    private final GraphBuilder graph;
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();

    private DecoderGraph(ModelConfig config, TokenTables tables, GraphBuilder graph) {
        this.config = config;
        this.tables = tables;
        this.graph = graph;
    }

    /** Lays out a decoder and its data file, which will lie beside the model file under the name {@code dataFile}. */
    public static DecoderPlan plan(ModelConfig config, Weights weights, TokenTables tables, String dataFile) {
        return plan(config, weights, tables, dataFile, GraphBuilder.INT8_ACTIVATIONS);
    }

    /**
     * The same with another accuracy level of MatMulNBits, for tests that separate the errors of weights and
     * activations.
     */
    static DecoderPlan plan(
            ModelConfig config, Weights weights, TokenTables tables, String dataFile, int accuracyLevel) {
        if (!weights.isQuantised()) {
            return unpacked(config, weights, tables, dataFile);
        }
        DecoderPlan stock = new DecoderGraph(config, tables, new GraphBuilder(weights, accuracyLevel, Dialect.STOCK))
                .build(dataFile);
        DecoderPlan kernels = new DecoderGraph(
                        config, tables, new GraphBuilder(weights, accuracyLevel, Dialect.KERNELS))
                .build(dataFile);
        if (!kernels.matrices().equals(stock.matrices()) || kernels.dataBytes() != stock.dataBytes()) {
            throw new IllegalStateException("both graphs of a bundle have one data file");
        }
        return new DecoderPlan(
                stock.modelFile(),
                Optional.of(kernels.modelFile()),
                stock.matrices(),
                stock.rotary(),
                stock.dataBytes(),
                stock.loadedBytes(),
                kernels.mappedBytes());
    }

    /** One graph, over quantised weights as MatMulNBits takes them: what bundles were before they were packed. */
    public static DecoderPlan unpacked(ModelConfig config, Weights weights, TokenTables tables, String dataFile) {
        GraphBuilder graph = new GraphBuilder(weights, GraphBuilder.INT8_ACTIVATIONS, Dialect.ROWS);
        return new DecoderGraph(config, tables, graph).build(dataFile);
    }

    private DecoderPlan build(String dataFile) {
        RotaryTable rotary = graph.rotary(
                RotaryTable.frequencies(config.headDim(), config.ropeTheta(), config.ropeScaling()),
                config.contextTokens());
        declareInputs();
        outputs.add(new Value("logits", DataType.FLOAT, List.of("n", (long) config.vocabSize())));
        Part embedding = matrix(tables.embedding(), config.vocabSize());
        String residual = graph.embedding("embedding", embedding, config.hiddenSize(), "input_ids");
        String normed = graph.norm(
                "layer.0.input_norm",
                residual,
                "model.layers.0.input_layernorm.weight",
                config.hiddenSize(),
                config.normEpsilon());
        var stream = new GraphBuilder.Normed(residual, normed);
        for (int layer = 0; layer < config.layers(); layer++) {
            stream = layer(layer, stream);
        }
        String rows = graph.rows("head.rows", stream.normed(), config.hiddenSize(), "logit_idx");
        if (tables.tied()) {
            graph.tiedHead(rows);
        } else {
            graph.head(rows, matrix(tables.head(), config.vocabSize()), config.hiddenSize());
        }
        return graph.plan(inputs, outputs, rotary, dataFile);
    }

    /** One layer; the norm after it is the next layer's first, or the last of all. */
    private GraphBuilder.Normed layer(int layer, GraphBuilder.Normed stream) {
        String attention = attention(layer, stream.normed());
        var between = graph.addAndNorm(
                "layer." + layer + ".post_norm",
                stream.sum(),
                attention,
                tensor(layer, "post_attention_layernorm.weight"),
                config.hiddenSize(),
                config.normEpsilon());
        boolean last = layer + 1 == config.layers();
        return graph.addAndNorm(
                last ? "final_norm" : "layer." + (layer + 1) + ".input_norm",
                between.sum(),
                mlp(layer, between.normed()),
                last ? "model.norm.weight" : tensor(layer + 1, "input_layernorm.weight"),
                config.hiddenSize(),
                config.normEpsilon());
    }

    private void declareInputs() {
        inputs.add(new Value("input_ids", DataType.INT64, List.of("B", "S")));
        if (graph.ownOperators()) {
            inputs.add(new Value("slots", DataType.INT32, List.of("S")));
            inputs.add(new Value("positions", DataType.INT32, List.of("S")));
        } else {
            inputs.add(new Value("seqlens_k", DataType.INT32, List.of("B")));
            inputs.add(new Value("total_sequence_length", DataType.INT32, List.of()));
        }
        inputs.add(new Value("logit_idx", DataType.INT64, List.of("n")));
    }

    private String attention(int layer, String normed) {
        String name = "layer." + layer + ".attention";
        List<String> projections = projections(layer, name, normed);
        List<String> past =
                List.of(cache("past", layer, "key", "P", inputs), cache("past", layer, "value", "P", inputs));
        List<String> results = List.of(
                name, cache("present", layer, "key", "T", outputs), cache("present", layer, "value", "T", outputs));
        if (graph.ownOperators()) {
            blockAttention(projections, past, results);
        } else {
            groupQueryAttention(projections, past, results);
        }
        return graph.linear(
                name + ".out",
                name,
                List.of(matrix(tensor(layer, "self_attn.o_proj"), config.hiddenSize())),
                config.queryWidth(),
                config.outputBias());
    }

    private void groupQueryAttention(List<String> projections, List<String> past, List<String> results) {
        List<String> arguments = new ArrayList<>(projections);
        if (projections.size() == 1) {
            arguments.addAll(List.of("", ""));
        }
        arguments.addAll(past);
        arguments.addAll(List.of("seqlens_k", "total_sequence_length", GraphBuilder.COSINES, GraphBuilder.SINES));
        graph.node(
                MICROSOFT,
                "GroupQueryAttention",
                arguments,
                results,
                GraphBuilder.attributes(
                        Map.entry("num_heads", (long) config.heads()),
                        Map.entry("kv_num_heads", (long) config.kvHeads()),
                        Map.entry("do_rotary", 1L),
                        Map.entry("rotary_interleaved", 0L)));
    }

    private void blockAttention(List<String> projections, List<String> past, List<String> results) {
        List<String> arguments = new ArrayList<>(List.of(projections.getFirst()));
        arguments.addAll(past);
        arguments.addAll(List.of("slots", "positions", GraphBuilder.COSINES, GraphBuilder.SINES));
        arguments.addAll(projections.subList(1, projections.size()));
        graph.node(
                GraphCheck.OWN_DOMAIN,
                "BlockAttention",
                arguments,
                results,
                GraphBuilder.attributes(
                        Map.entry("heads", (long) config.heads()),
                        Map.entry("kv_heads", (long) config.kvHeads()),
                        Map.entry("head_dim", (long) config.headDim())));
    }

    /** Query, key and value as the attention takes them: packed into one, or apart where heads are normed. */
    private List<String> projections(int layer, String name, String normed) {
        int queryWidth = config.queryWidth();
        int kvWidth = config.kvWidth();
        List<Part> parts = List.of(
                matrix(tensor(layer, "self_attn.q_proj"), queryWidth),
                matrix(tensor(layer, "self_attn.k_proj"), kvWidth),
                matrix(tensor(layer, "self_attn.v_proj"), kvWidth));
        String packed = graph.linear(name + ".qkv", normed, parts, config.hiddenSize(), config.qkvBias());
        if (!config.qkNorm()) {
            return List.of(packed);
        }
        List<String> names = List.of(name + ".q", name + ".k", name + ".v");
        List<String> split = graph.split(names, packed, List.of(queryWidth, kvWidth, kvWidth));
        return List.of(
                headNorm(layer, split.get(0), "self_attn.q_norm.weight", config.heads()),
                headNorm(layer, split.get(1), "self_attn.k_norm.weight", config.kvHeads()),
                split.get(2));
    }

    /** RMS norm of every head by itself: GroupQueryAttention's own inputs for it are refused by the CPU kernel. */
    private String headNorm(int layer, String projected, String weight, int heads) {
        String byHead =
                graph.reshape(projected + ".heads", projected, List.of(0L, 0L, (long) heads, (long) config.headDim()));
        String normed =
                graph.norm(projected + ".norm", byHead, tensor(layer, weight), config.headDim(), config.normEpsilon());
        return graph.reshape(projected + ".normed", normed, List.of(0L, 0L, (long) heads * config.headDim()));
    }

    private String mlp(int layer, String normed) {
        String name = "layer." + layer + ".mlp";
        int width = config.intermediateSize();
        String gated = graph.ownOperators() && !config.mlpBias()
                ? graph.gateUp(name + ".gated", name + ".gate_up", normed, gateAndUp(layer), config.hiddenSize())
                : gated(layer, name, normed);
        return graph.linear(
                name + ".down",
                gated,
                List.of(matrix(tensor(layer, "mlp.down_proj"), config.hiddenSize())),
                width,
                config.mlpBias());
    }

    private List<Part> gateAndUp(int layer) {
        int width = config.intermediateSize();
        return List.of(matrix(tensor(layer, "mlp.gate_proj"), width), matrix(tensor(layer, "mlp.up_proj"), width));
    }

    /** SiLU of the gate times up, of operators that everybody has. */
    private String gated(int layer, String name, String normed) {
        int width = config.intermediateSize();
        String packed = config.mlpBias()
                ? graph.linear(name + ".gate_up", normed, gateAndUp(layer), config.hiddenSize(), true)
                : graph.linearPair(name + ".gate_up", normed, gateAndUp(layer), config.hiddenSize());
        List<String> split = graph.split(List.of(name + ".gate", name + ".up"), packed, List.of(width, width));
        // QuickGelu is x * sigmoid(alpha * x): with alpha 1 it is SiLU, in one pass.
        String activated = graph.node(
                MICROSOFT,
                "QuickGelu",
                List.of(split.get(0)),
                List.of(name + ".silu"),
                GraphBuilder.attributes(Map.entry("alpha", 1f)));
        return graph.node("", "Mul", List.of(activated, split.get(1)), List.of(name + ".gated"), Map.of());
    }

    private String cache(String which, int layer, String part, String length, List<Value> into) {
        String name = which + "." + layer + "." + part;
        boolean own = graph.ownOperators();
        into.add(new Value(
                name,
                own ? DataType.FLOAT16 : DataType.FLOAT,
                List.of(own ? "slots" : "B", (long) config.kvHeads(), length, (long) config.headDim())));
        return name;
    }

    /** A projection's name without {@code .weight} or {@code .bias}. */
    private static Part matrix(String projection, int rows) {
        return new Part(projection, rows, false);
    }

    private static String tensor(int layer, String name) {
        return "model.layers." + layer + "." + name;
    }
}
