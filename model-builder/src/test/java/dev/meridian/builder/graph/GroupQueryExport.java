package dev.meridian.builder.graph;

import dev.meridian.builder.graph.Onnx.DataType;
import dev.meridian.builder.graph.Onnx.ExternalTensor;
import dev.meridian.builder.graph.Onnx.Graph;
import dev.meridian.builder.graph.Onnx.InlineTensor;
import dev.meridian.builder.graph.Onnx.Node;
import dev.meridian.builder.graph.Onnx.Tensor;
import dev.meridian.builder.graph.Onnx.Value;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.OnnxFile;
import dev.meridian.engine.bundle.OnnxFile.Attribute;
import dev.meridian.engine.bundle.OnnxFile.Data;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Rewrites a bundle of Meridian's own layout as onnxruntime-genai's builder lays a decoder with GroupQueryAttention out: the
 * lengths are worked out of an attention mask, caches have Hugging Face's names and grow, every row has logits.
 */
public final class GroupQueryExport {
    private static final String MASK = "attention_mask";

    private final OnnxFile model;
    private final ModelShape shape;
    private final List<Node> nodes = new ArrayList<>();
    private final List<Tensor> constants = new ArrayList<>();
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();

    private GroupQueryExport(OnnxFile model, ModelShape shape) {
        this.model = model;
        this.shape = shape;
    }

    /** Writes {@code model.onnx}, its data and {@code genai_config.json}. */
    public static void write(Bundle bundle, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.copy(bundle.file(BundleManifest.WEIGHTS_FILE), folder.resolve(BundleManifest.WEIGHTS_FILE));
        OnnxFile model = OnnxFile.map(bundle.file(BundleManifest.MODEL_FILE));
        ModelShape shape = bundle.manifest().shape();
        Files.write(folder.resolve("model.onnx"), new GroupQueryExport(model, shape).bytes());
        Files.writeString(folder.resolve("genai_config.json"), """
                {"model": {"type": "%s", "vocab_size": %d, "context_length": %d, "bos_token_id": 1, "eos_token_id": 2,
                  "decoder": {"filename": "model.onnx", "hidden_size": %d, "num_attention_heads": %d,
                    "num_key_value_heads": %d, "head_size": %d, "num_hidden_layers": %d,
                    "session_options": {"provider_options": []},
                    "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask",
                      "past_key_names": "past_key_values.%%d.key", "past_value_names": "past_key_values.%%d.value"},
                    "outputs": {"logits": "logits",
                      "present_key_names": "present.%%d.key", "present_value_names": "present.%%d.value"}}},
                 "search": {"past_present_share_buffer": true}}
                """.formatted(
                        bundle.manifest().family(),
                        shape.vocabSize(),
                        shape.contextTokens(),
                        shape.hiddenSize(),
                        shape.heads(),
                        shape.kvHeads(),
                        shape.headDim(),
                        shape.layers()));
    }

    private byte[] bytes() {
        model.graph().initializers().forEach(constant -> constants.add(constant(constant)));
        inputs.add(new Value("input_ids", DataType.INT64, List.of("batch", "sequence")));
        inputs.add(new Value(MASK, DataType.INT64, List.of("batch", "total")));
        outputs.add(new Value("logits", DataType.FLOAT, List.of("batch", "sequence", (long) shape.vocabSize())));
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (String part : List.of("key", "value")) {
                cache(inputs, "past_key_values." + layer + "." + part, "past");
                cache(outputs, "present." + layer + "." + part, "total");
            }
        }
        lengths();
        String last = "";
        for (OnnxFile.Node node : model.graph().nodes()) {
            switch (node.outputs().getFirst()) {
                // The rows that were asked for: here all are.
                case "head.rows.flat" -> last = node.inputs().getFirst();
                case "head.rows" -> {}
                default -> nodes.add(copied(node, last));
            }
        }
        return OnnxWriter.write(new Graph(nodes, constants, inputs, outputs), BundleManifest.WEIGHTS_FILE);
    }

    private static Tensor constant(Initializer constant) {
        return switch (constant.data()) {
            case Data.External external ->
                new ExternalTensor(
                        constant.name(),
                        DataType.valueOf(constant.type().name()),
                        constant.dims(),
                        new Region(external.offset(), constant.bytes()));
            case Data.Raw _ -> new InlineTensor(constant.name(), constant.dims(), constant.longs());
            case Data.Typed _ -> throw new IllegalArgumentException(constant.name());
        };
    }

    private void cache(List<Value> into, String name, String positions) {
        into.add(new Value(
                name, DataType.FLOAT, List.of("batch", (long) shape.kvHeads(), positions, (long) shape.headDim())));
    }

    /** {@code seqlens_k} and {@code total_sequence_length}, which our own layout takes as inputs. */
    private void lengths() {
        constants.add(new InlineTensor("one", List.of(1L), List.of(1L)));
        constants.add(new InlineTensor("one.scalar", List.of(), List.of(1L)));
        Map<String, Number> whole = Map.of("to", (long) DataType.INT32.number);
        node("ReduceSum", List.of(MASK, "one"), "filled", Map.of("keepdims", 0L));
        node("Sub", List.of("filled", "one"), "filled.last", Map.of());
        node("Cast", List.of("filled.last"), "seqlens_k", whole);
        node("Shape", List.of(MASK), "mask.shape", Map.of());
        node("Gather", List.of("mask.shape", "one.scalar"), "mask.length", Map.of("axis", 0L));
        node("Cast", List.of("mask.length"), "total_sequence_length", whole);
    }

    private void node(String operator, List<String> in, String out, Map<String, Number> attributes) {
        nodes.add(new Node("", operator, in, List.of(out), attributes));
    }

    private static Node copied(OnnxFile.Node node, String lastNorm) {
        List<String> in = node.inputs().stream()
                .map(name -> name.equals("head.rows") ? lastNorm : name.replaceFirst("^past\\.", "past_key_values."))
                .toList();
        Map<String, Number> attributes = new LinkedHashMap<>();
        node.attributes()
                .forEach((name, value) -> attributes.put(
                        name,
                        switch (value) {
                            case Attribute.Int(long number) -> number;
                            case Attribute.Decimal(float number) -> number;
                            default -> throw new IllegalArgumentException(name);
                        }));
        return new Node(node.domain(), node.operator(), in, node.outputs(), attributes);
    }
}
