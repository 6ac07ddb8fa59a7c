package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.OnnxFile.Attribute;
import dev.meridian.engine.bundle.OnnxFile.Graph;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import dev.meridian.engine.bundle.OnnxFile.Node;
import dev.meridian.engine.bundle.OnnxFile.Value;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * From bytes to {@link OnnxFile}, by the field numbers of onnx.proto (ONNX 1.17). A field that is not known is refused, and
 * so is what Meridian never runs: local functions, training, sparse tensors, sequences, maps and optional values.
 */
final class OnnxParser {
    static final int MAX_NAME_BYTES = 1024;
    static final int MAX_TEXT_BYTES = 1 << 20;
    private static final int MAX_GRAPH_DEPTH = 4;
    private static final int MAX_NUMBERS = 1 << 16;
    /** {@code FLOATS}, the first type of an attribute that is a list. */
    private static final int FIRST_LIST = 6;
    /** Messages in one file, of every kind together: bounds what a file of two-byte messages costs on the heap. */
    private static final int MAX_MESSAGES = 1_000_000;

    private OnnxParser() {}

    static OnnxFile parse(String file, ByteBuffer bytes) {
        ProtoReader in = ProtoReader.of(file, "the model", bytes, MAX_MESSAGES);
        long irVersion = 0;
        Map<String, Long> opsets = new HashMap<>();
        Map<String, String> metadata = new HashMap<>();
        Graph graph = null;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> irVersion = in.once().int64();
                case 2, 3, 4, 6 -> in.once().remark(MAX_TEXT_BYTES);
                case 5 -> in.once().int64();
                case 7 -> graph = graph(in.once().message("the graph"), 1);
                case 8 -> opset(in.message("an opset"), opsets);
                case 14 -> entry(in.message("metadata"), metadata);
                case 20 -> throw in.fault("training information is not supported");
                case 25 -> throw in.fault("local functions are not supported");
                default -> throw in.unknown();
            }
        }
        if (graph == null) {
            throw in.fault("no graph");
        }
        return new OnnxFile(file, irVersion, Map.copyOf(opsets), Map.copyOf(metadata), graph);
    }

    private static void opset(ProtoReader in, Map<String, Long> into) {
        String domain = "";
        long version = 0;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> domain = in.once().name(MAX_NAME_BYTES);
                case 2 -> version = in.once().int64();
                default -> throw in.unknown();
            }
        }
        if (into.put(domain, version) != null) {
            throw in.fault("domain '" + domain + "' comes twice");
        }
    }

    /** One pair of {@code metadata_props} or {@code external_data}. */
    static void entry(ProtoReader in, Map<String, String> into) {
        String key = "";
        String value = "";
        while (in.next()) {
            switch (in.field()) {
                case 1 -> key = in.once().name(MAX_NAME_BYTES);
                case 2 -> value = in.once().text(MAX_TEXT_BYTES);
                default -> throw in.unknown();
            }
        }
        if (into.put(key, value) != null) {
            throw in.fault("key '" + key + "' comes twice");
        }
    }

    private static Graph graph(ProtoReader in, int depth) {
        if (depth > MAX_GRAPH_DEPTH) {
            throw in.fault("graphs nested more than " + MAX_GRAPH_DEPTH + " deep");
        }
        String name = "";
        List<Node> nodes = new ArrayList<>();
        List<Initializer> initializers = new ArrayList<>();
        List<Value> inputs = new ArrayList<>();
        List<Value> outputs = new ArrayList<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> nodes.add(node(in.message("node " + nodes.size()), depth));
                case 2 -> name = in.once().name(MAX_NAME_BYTES);
                case 5 -> initializers.add(OnnxTensorParser.tensor(in.message("initializer " + initializers.size())));
                case 10 -> in.once().remark(MAX_TEXT_BYTES);
                case 11 -> inputs.add(OnnxValueParser.value(in.message("input " + inputs.size())));
                case 12 -> outputs.add(OnnxValueParser.value(in.message("output " + outputs.size())));
                // Shapes of inner values: an exporter's notes, which must only be well-formed.
                case 13 -> OnnxValueParser.value(in.message("a value's type"));
                case 15 -> throw in.fault("sparse initializers are not supported");
                case 16 -> entry(in.message("metadata"), new HashMap<>());
                default -> throw in.unknown();
            }
        }
        return new Graph(
                name, List.copyOf(nodes), List.copyOf(initializers), List.copyOf(inputs), List.copyOf(outputs));
    }

    private static Node node(ProtoReader in, int depth) {
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        Map<String, Attribute> attributes = new LinkedHashMap<>();
        String name = "";
        String domain = "";
        String operator = "";
        while (in.next()) {
            switch (in.field()) {
                case 1 -> add(in, inputs, in.name(MAX_NAME_BYTES));
                case 2 -> add(in, outputs, in.name(MAX_NAME_BYTES));
                case 3 -> name = in.once().name(MAX_NAME_BYTES);
                case 4 -> operator = in.once().name(MAX_NAME_BYTES);
                case 5 -> attribute(in.message("an attribute of node '" + name + "'"), attributes, depth);
                case 6 -> in.once().remark(MAX_TEXT_BYTES);
                case 7 -> domain = in.once().name(MAX_NAME_BYTES);
                case 9 -> entry(in.message("metadata"), new HashMap<>());
                default -> throw in.unknown();
            }
        }
        return new Node(name, domain, operator, List.copyOf(inputs), List.copyOf(outputs), Map.copyOf(attributes));
    }

    private static <T> void add(ProtoReader in, List<T> list, T value) {
        if (list.size() == MAX_NUMBERS) {
            throw in.fault("field " + in.field() + " comes more than " + MAX_NUMBERS + " times");
        }
        list.add(value);
    }

    private static void attribute(ProtoReader in, Map<String, Attribute> into, int depth) {
        String name = "";
        int type = 0;
        Attribute single = null;
        int singles = 0;
        List<Long> ints = new ArrayList<>();
        List<Float> decimals = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        while (in.next()) {
            Attribute value = null;
            switch (in.field()) {
                case 1 -> name = in.once().name(MAX_NAME_BYTES);
                case 2 -> value = new Attribute.Decimal(in.once().float32());
                case 3 -> value = new Attribute.Int(in.once().int64());
                case 4 -> value = new Attribute.Text(in.once().text(MAX_TEXT_BYTES));
                case 5 ->
                    value = new Attribute.Tensor(
                            OnnxTensorParser.tensor(in.once().message("a tensor")));
                case 6 -> value = new Attribute.Subgraph(graph(in.once().message("a subgraph"), depth + 1));
                case 7 -> floats(in, decimals);
                case 8 -> longs(in, ints);
                case 9 -> add(in, texts, in.text(MAX_NAME_BYTES));
                case 13 -> in.once().remark(MAX_TEXT_BYTES);
                case 20 -> type = in.once().int32();
                default -> throw in.unknown();
            }
            if (value != null) {
                single = value;
                singles++;
            }
        }
        Attribute value = chosen(type, single, decimals, ints, texts);
        int kinds = singles + count(decimals) + count(ints) + count(texts);
        if (value == null || kinds > 1 || (type >= FIRST_LIST && singles > 0)) {
            throw in.fault("attribute '" + name + "' of type " + type + " has not exactly that type's value");
        }
        if (into.put(name, value) != null) {
            throw in.fault("attribute '" + name + "' comes twice");
        }
    }

    /** The value by the numbers of {@code AttributeProto.AttributeType}; null where it is not there. */
    private static @Nullable Attribute chosen(
            int type, @Nullable Attribute single, List<Float> decimals, List<Long> ints, List<String> texts) {
        return switch (type) {
            case 1 -> single instanceof Attribute.Decimal ? single : null;
            case 2 -> single instanceof Attribute.Int ? single : null;
            case 3 -> single instanceof Attribute.Text ? single : null;
            case 4 -> single instanceof Attribute.Tensor ? single : null;
            case 5 -> single instanceof Attribute.Subgraph ? single : null;
            case FIRST_LIST -> ints.isEmpty() && texts.isEmpty() ? new Attribute.Decimals(List.copyOf(decimals)) : null;
            case 7 -> decimals.isEmpty() && texts.isEmpty() ? new Attribute.Ints(List.copyOf(ints)) : null;
            case 8 -> decimals.isEmpty() && ints.isEmpty() ? new Attribute.Texts(List.copyOf(texts)) : null;
            default -> null;
        };
    }

    private static int count(List<?> values) {
        return values.isEmpty() ? 0 : 1;
    }

    private static void floats(ProtoReader in, List<Float> into) {
        if (!in.isPacked()) {
            add(in, into, in.float32());
            return;
        }
        for (ProtoReader packed = in.packed(); packed.hasMore(); ) {
            add(packed, into, packed.packedFloat32());
        }
    }

    /** Integers, packed into one field or one by one. */
    static void longs(ProtoReader in, List<Long> into) {
        if (!in.isPacked()) {
            add(in, into, in.int64());
            return;
        }
        for (ProtoReader packed = in.packed(); packed.hasMore(); ) {
            add(packed, into, packed.packedInt64());
        }
    }
}
