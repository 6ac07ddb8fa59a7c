package dev.meridian.engine.bundle;

import static dev.meridian.engine.bundle.TensorShape.BATCH;
import static dev.meridian.engine.bundle.TensorShape.POSITIONS;
import static dev.meridian.engine.bundle.TensorShape.PRESENT;
import static dev.meridian.engine.bundle.TensorShape.TOKENS;
import static dev.meridian.engine.bundle.TensorShape.WANTED;

import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.OnnxFile.Data;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import dev.meridian.engine.bundle.OnnxFile.Node;
import dev.meridian.engine.bundle.OnnxFile.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Meridian's own layout, as model-builder writes it. The shape of every value is worked out from the manifest's, so the
 * buffers that the engine hands to ONNX Runtime are as large as what is written into them.
 */
final class DecoderCheck {
    private static final long OPSET = 17;
    /** Nodes of one layer and those around the layers; model-builder makes at most 23 of the first and 9 of the others. */
    private static final int MAX_NODES_A_LAYER = 24;

    private static final int MAX_FAULTS = 20;
    /** Model-builder begins every constant on a cache line. */
    private static final long ALIGNMENT = 64;

    private final OnnxFile model;
    private final ModelShape shape;
    private final boolean kernels;
    private final boolean packed;
    private final Map<String, TensorShape> shapes = new HashMap<>();
    private final Map<String, Initializer> constants = new HashMap<>();
    private final Set<String> used = new HashSet<>();
    /** Constants of float16 that ONNX Runtime unpacks to float32 when it loads them. */
    private final Set<String> widened = new HashSet<>();

    private final List<String> faults = new ArrayList<>();

    private DecoderCheck(OnnxFile model, BundleManifest manifest, boolean kernels) {
        this.model = model;
        this.shape = manifest.shape();
        this.kernels = kernels;
        this.packed = manifest.packing() != null;
    }

    /**
     * One line for each fault of a graph that {@link GraphCheck} found none in.
     *
     * @param kernels whether it is the graph of Meridian's own operators
     */
    static List<String> faults(OnnxFile model, BundleManifest manifest, boolean kernels) {
        if (kernels
                && model.graph().inputs().stream()
                        .anyMatch(input -> input.name().equals("seqlens_k"))) {
            return List.of(
                    "made by an earlier Meridian, without its own attention; make the bundle anew by ./meridian import");
        }
        DecoderCheck check = new DecoderCheck(model, manifest, kernels);
        check.opsets();
        check.inputs();
        check.initializers();
        check.nodes();
        check.outputs();
        check.unused();
        check.memory(manifest);
        return List.copyOf(check.faults);
    }

    private void fault(String what) {
        if (faults.size() < MAX_FAULTS) {
            faults.add(what);
        }
    }

    private void opsets() {
        if (!Long.valueOf(OPSET).equals(model.opsets().get("")) || shape.headDim() % 16 != 0) {
            fault("operators of version " + model.opsets().get("") + " and heads of " + shape.headDim()
                    + ", expected version " + OPSET + " and a multiple of 16");
        }
    }

    private void inputs() {
        Map<String, TensorShape> expected = new LinkedHashMap<>();
        expected.put("input_ids", TensorShape.of(ElementType.INT64, BATCH, TOKENS));
        if (kernels) {
            expected.put("slots", TensorShape.of(ElementType.INT32, TOKENS));
            expected.put("positions", TensorShape.of(ElementType.INT32, TOKENS));
        } else {
            expected.put("seqlens_k", TensorShape.of(ElementType.INT32, BATCH));
            expected.put("total_sequence_length", TensorShape.of(ElementType.INT32));
        }
        expected.put("logit_idx", TensorShape.of(ElementType.INT64, WANTED));
        caches("past", POSITIONS, expected);
        declared("input", model.graph().inputs(), expected);
        shapes.putAll(expected);
    }

    private void caches(String which, long positions, Map<String, TensorShape> into) {
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (String part : List.of("key", "value")) {
                into.put(which + "." + layer + "." + part, AttentionRules.cache(shape, kernels, positions));
            }
        }
    }

    private void declared(String what, List<Value> values, Map<String, TensorShape> expected) {
        for (Value value : values) {
            TensorShape wanted = expected.get(value.name());
            if (wanted == null) {
                fault(what + " '" + value.name() + "' is none of this layout's");
            } else if (!wanted.isDeclaredBy(value)) {
                fault(what + " '" + value.name() + "' is " + value.type() + " " + value.dims() + ", expected "
                        + wanted);
            }
        }
        if (values.size() != expected.size()) {
            fault(values.size() + " " + what + "s, expected " + expected.size());
        }
    }

    private void initializers() {
        for (Initializer initializer : model.graph().initializers()) {
            constants.put(initializer.name(), initializer);
            shapes.put(initializer.name(), new TensorShape(initializer.type(), initializer.dims()));
            switch (initializer.data()) {
                case Data.External external -> external(initializer, external);
                case Data.Raw _ -> inline(initializer);
                case Data.Typed _ -> fault("initializer '" + initializer.name() + "': a list of numbers");
            }
        }
    }

    private void external(Initializer initializer, Data.External external) {
        long alignment = kernels && initializer.type() == ElementType.UINT8 ? Panels.ALIGNMENT : ALIGNMENT;
        if (!external.location().equals(BundleManifest.WEIGHTS_FILE) || external.offset() % alignment != 0) {
            fault("initializer '" + initializer.name() + "': byte " + external.offset() + " of "
                    + external.location() + ", expected a multiple of " + alignment + " of "
                    + BundleManifest.WEIGHTS_FILE);
        }
    }

    private void inline(Initializer initializer) {
        if (initializer.type() != ElementType.INT64) {
            fault("initializer '" + initializer.name() + "': " + initializer.type() + " in the model file itself");
        }
    }

    private void nodes() {
        List<Node> nodes = model.graph().nodes();
        if (nodes.size() > MAX_NODES_A_LAYER * (shape.layers() + 1L)) {
            fault(nodes.size() + " nodes are too many for " + shape.layers() + " layers");
            return;
        }
        DecoderRules rules = new DecoderRules(shape, kernels);
        Set<String> broken = new HashSet<>();
        for (Node node : nodes) {
            for (String input : node.inputs()) {
                if (!used.add(input) && (input.startsWith("past.") || isHalf(input))) {
                    fault(GraphCheck.where(node) + "'" + input + "' is read by another node, too");
                }
                if (isHalf(input) && node.operator().equals("Cast")) {
                    widened.add(input);
                }
            }
            // What comes out of a node with a fault is not known: one fault is told once.
            if (node.inputs().stream().anyMatch(broken::contains)) {
                broken.addAll(node.outputs());
                broken.remove("");
                continue;
            }
            try {
                List<TensorShape> made = rules.outputs(new NodeReader(node, shapes, constants));
                for (int i = 0; i < made.size(); i++) {
                    place(node, node.outputs().get(i), made.get(i));
                }
            } catch (BundleException e) {
                fault(String.valueOf(e.getMessage()));
                broken.addAll(node.outputs());
                broken.remove("");
            }
        }
    }

    /** A constant of float16: only one node may read it, so that it is unpacked once. */
    private boolean isHalf(String name) {
        Initializer constant = constants.get(name);
        return constant != null && constant.type() == ElementType.FLOAT16;
    }

    private void place(Node node, String name, TensorShape made) {
        if (!name.isEmpty()) {
            requireWidth(node, made);
            shapes.put(name, made);
        }
    }

    /** Activations are as wide as the manifest's shape says: the memory plan counts on it. */
    private void requireWidth(Node node, TensorShape made) {
        long attention = (shape.heads() + 2L * shape.kvHeads()) * shape.headDim();
        long widest = Math.max(Math.max(attention, 2L * shape.intermediateSize()), shape.hiddenSize() + 31L);
        if (made.dims().getFirst() == WANTED) {
            widest = Math.max(shape.vocabSize(), shape.hiddenSize());
        }
        if (made.last() > widest) {
            throw new BundleException(GraphCheck.where(node) + "makes " + made + ", wider than " + widest);
        }
    }

    private void outputs() {
        Map<String, TensorShape> expected = new LinkedHashMap<>();
        expected.put("logits", TensorShape.floats(WANTED, shape.vocabSize()));
        caches("present", PRESENT, expected);
        declared("output", model.graph().outputs(), expected);
        caches("present", POSITIONS, expected);
        expected.forEach((name, wanted) -> {
            TensorShape made = shapes.get(name);
            // What is not known was made by a node with a fault, or is missing, which is another.
            if (made != null && !made.equals(wanted)) {
                fault("'" + name + "' is made as " + made + ", expected " + wanted);
            }
        });
    }

    private void unused() {
        for (String name : constants.keySet()) {
            if (!used.contains(name)) {
                fault("initializer '" + name + "' is used by no node");
            }
        }
    }

    /**
     * The manifest's needs against the constants themselves, those of float16 as large as they become. Packed weights are
     * kept with their scales twice, and a tied embedding is loaded twice, so that honest needs lie between one and two times
     * the sum.
     */
    private void memory(BundleManifest manifest) {
        long constantBytes = constants.values().stream()
                .filter(constant -> constant.data() instanceof Data.External)
                .mapToLong(Initializer::bytes)
                .reduce(0, DecoderCheck::addSaturating);
        BundleFile file = manifest.files().get(BundleManifest.WEIGHTS_FILE);
        long fileBytes = file == null ? 0 : file.bytes();
        // Unpacked, scales take twice the bytes that they have in the file.
        if (constantBytes / (packed ? 3 : 2) > fileBytes) {
            fault("constants of " + constantBytes + " bytes share a file of " + fileBytes);
        }
        // Each was counted above as it lies in the file: unpacked it takes as much again.
        long needed = widened.stream()
                .mapToLong(name -> Objects.requireNonNull(constants.get(name)).bytes())
                .reduce(constantBytes, DecoderCheck::addSaturating);
        Long mapped = manifest.memory().mappedWeightBytes();
        if (kernels && mapped != null) {
            // Used where they are: the sum itself. What is of both graphs is told of the other.
            if (mapped != needed) {
                fault("the manifest's mappedWeightBytes are " + mapped + ", the constants take " + needed);
            }
            return;
        }
        declared(manifest, needed);
        long kvBytes = 2L * shape.layers() * shape.kvHeads() * shape.headDim() * Float.BYTES;
        if (manifest.memory().kvBytesPerToken() != kvBytes) {
            fault("the manifest's kvBytesPerToken are " + manifest.memory().kvBytesPerToken() + ", the shape takes "
                    + kvBytes);
        }
    }

    private void declared(BundleManifest manifest, long needed) {
        long declared = manifest.memory().weightBytes();
        // Unpacked weights stay beside those that MatMulNBits packs for itself.
        if (declared < needed || declared / (packed ? 3 : 2) > needed) {
            fault("the manifest's weightBytes are " + declared + ", the constants take " + needed);
        }
    }

    private static long addSaturating(long a, long b) {
        return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
    }
}
