package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.OnnxFile.Dim;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import dev.meridian.engine.bundle.OnnxFile.Value;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Ready-made decoders: what they take and give is what {@link GraphLayout} and the manifest's shape say. What happens
 * between is ONNX Runtime's to work out; the runner tries two tokens and compares what comes before it trusts a graph.
 */
public final class PastPresentCheck {
    private static final Set<ElementType> WHOLE = Set.of(ElementType.INT64, ElementType.INT32);
    private static final Set<ElementType> REAL = Set.of(ElementType.FLOAT, ElementType.FLOAT16);
    private static final int MAX_FAULTS = 20;

    private final ModelShape shape;
    private final GraphLayout layout;
    private final Map<String, Value> inputs;
    private final Map<String, Value> outputs;
    private final List<String> faults = new ArrayList<>();

    private PastPresentCheck(OnnxFile model, ModelShape shape, GraphLayout layout) {
        this.shape = shape;
        this.layout = layout;
        inputs = byName(model.graph().inputs());
        outputs = byName(model.graph().outputs());
    }

    private static Map<String, Value> byName(List<Value> values) {
        return values.stream().collect(Collectors.toMap(Value::name, Function.identity(), (first, _) -> first));
    }

    /** One line for each fault of a graph that {@link GraphCheck} found none in. */
    static List<String> faults(OnnxFile model, BundleManifest manifest, GraphLayout layout) {
        PastPresentCheck check = new PastPresentCheck(model, manifest.shape(), layout);
        check.names();
        if (check.faults.isEmpty()) {
            check.values();
            check.memory(model, manifest);
        }
        return check.faults.stream().limit(MAX_FAULTS).toList();
    }

    private void names() {
        Set<String> foreign = new TreeSet<>(inputs.keySet());
        foreign.removeAll(layout.inputs());
        foreign.forEach(name -> faults.add("takes '" + name + "', which nobody gives it"));
        Set<String> missing = new TreeSet<>(layout.inputs());
        missing.removeAll(inputs.keySet());
        Set<String> wanted = new HashSet<>(layout.present());
        wanted.add(layout.logits());
        wanted.stream().filter(name -> !outputs.containsKey(name)).forEach(missing::add);
        missing.forEach(name -> faults.add("has no '" + name + "'"));
    }

    private void values() {
        require(inputs, layout.inputIds(), WHOLE, -1, -1);
        if (layout.attentionMask() != null) {
            require(inputs, layout.attentionMask(), WHOLE, -1, -1);
        }
        if (layout.positionIds() != null) {
            require(inputs, layout.positionIds(), WHOLE, -1, -1);
        }
        require(outputs, layout.logits(), REAL, -1, -1, shape.vocabSize());
        Value first = get(inputs, layout.past().getFirst());
        boolean combined = first.dims().size() == GraphLayout.COMBINED_DIMS;
        if (layout.past().size() != shape.layers() * (combined ? 1 : 2)) {
            faults.add(layout.past().size() + " caches, which are not those of " + shape.layers() + " layers");
        }
        Set<ElementType> type = REAL.contains(first.type()) ? Set.of(first.type()) : REAL;
        long[] dims = combined
                ? new long[] {2, -1, shape.kvHeads(), -1, shape.headDim()}
                : new long[] {-1, shape.kvHeads(), -1, shape.headDim()};
        layout.past().forEach(name -> require(inputs, name, type, dims));
        layout.present().forEach(name -> require(outputs, name, type, dims));
    }

    private static Value get(Map<String, Value> all, String name) {
        Value value = all.get(name);
        if (value == null) {
            throw new BundleException(BundleManifest.MODEL_FILE + ": has no '" + name + "'");
        }
        return value;
    }

    /** A dimension of -1 must vary, another must be fixed so or left open: the runner's trial decides then. */
    private void require(Map<String, Value> all, String name, Set<ElementType> types, long... dims) {
        Value value = get(all, name);
        boolean fits = types.contains(value.type()) && value.dims().size() == dims.length;
        for (int i = 0; fits && i < dims.length; i++) {
            fits = switch (value.dims().get(i)) {
                case Dim.Fixed(long size) -> size == dims[i] || (size == 1 && dims[i] == -1);
                case Dim.Named _ -> true;
            };
        }
        if (!fits) {
            String expected = java.util.Arrays.stream(dims)
                    .mapToObj(dim -> dim == -1 ? "any" : Long.toString(dim))
                    .collect(Collectors.joining(", ", "[", "]"));
            faults.add("'" + name + "' is " + value.type() + " " + shown(value) + ", expected "
                    + types.stream().sorted().map(Enum::name).collect(Collectors.joining(" or ")) + " " + expected);
        }
    }

    private static String shown(Value value) {
        return value.dims().stream()
                .map(dim -> switch (dim) {
                    case Dim.Fixed(long size) -> Long.toString(size);
                    case Dim.Named(String name) -> name.isEmpty() ? "any" : name;
                })
                .collect(Collectors.joining(", ", "[", "]"));
    }

    private void memory(OnnxFile model, BundleManifest manifest) {
        long needed = loadedBytes(model);
        if (manifest.memory().weightBytes() < needed) {
            faults.add("the manifest's weightBytes are " + manifest.memory().weightBytes() + ", the constants take "
                    + needed);
        }
        long kvBytes =
                kvBytesPerToken(shape, get(inputs, layout.past().getFirst()).type());
        if (manifest.memory().kvBytesPerToken() != kvBytes) {
            faults.add("the manifest's kvBytesPerToken are " + manifest.memory().kvBytesPerToken()
                    + ", the caches take " + kvBytes);
        }
    }

    /** Keys and values of one position over all layers. */
    public static long kvBytesPerToken(ModelShape shape, ElementType type) {
        return 2L * shape.layers() * shape.kvHeads() * shape.headDim() * type.bits() / Byte.SIZE;
    }

    /**
     * Constants as ONNX Runtime's CPU provider holds them: most of its operators have no float16 form, so it unpacks
     * float16 constants to float32 when it loads them.
     */
    public static long loadedBytes(OnnxFile model) {
        return Math.max(
                1,
                model.graph().initializers().stream()
                        .mapToLong(PastPresentCheck::loadedBytes)
                        .reduce(0, PastPresentCheck::addSaturating));
    }

    private static long loadedBytes(Initializer constant) {
        return constant.type() == ElementType.FLOAT16 || constant.type() == ElementType.BFLOAT16
                ? addSaturating(constant.bytes(), constant.bytes())
                : constant.bytes();
    }

    private static long addSaturating(long a, long b) {
        return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
    }
}
