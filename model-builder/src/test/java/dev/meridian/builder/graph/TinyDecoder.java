package dev.meridian.builder.graph;

import dev.meridian.builder.graph.Onnx.DataType;
import dev.meridian.builder.graph.Onnx.ExternalTensor;
import dev.meridian.builder.graph.Onnx.Graph;
import dev.meridian.builder.graph.Onnx.InlineTensor;
import dev.meridian.builder.graph.Onnx.Node;
import dev.meridian.builder.graph.Onnx.Tensor;
import dev.meridian.builder.graph.Onnx.Value;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A ready-made decoder with Hugging Face's names and random weights: two layers, two heads of 4, positions as
 * embeddings, plain attention over concatenated caches. {@link #logits} computes the same with loops in double precision.
 */
public final class TinyDecoder {
    public static final int LAYERS = 2;
    public static final int HEADS = 2;
    public static final int HEAD_DIM = 4;
    public static final int WIDTH = HEADS * HEAD_DIM;
    public static final int CONTEXT = 64;
    private static final float HIDDEN = -1e9f;

    /**
     * What exports differ in.
     *
     * @param longIds int64 token ids, not int32
     * @param mask takes an attention mask
     * @param positions takes position ids; else it works them out
     * @param halfCache caches are float16
     * @param halfLogits logits are float16
     * @param lastRow gives the last row's logits alone
     * @param combined one cache a layer holds keys and values
     */
    public record Form(
            boolean longIds,
            boolean mask,
            boolean positions,
            boolean halfCache,
            boolean halfLogits,
            boolean lastRow,
            boolean combined) {
        public static final Form PLAIN = new Form(true, true, true, false, false, false, false);
    }

    private final Form form;
    private final int vocabSize;
    private final Map<String, float[]> weights = new TreeMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<Tensor> constants = new ArrayList<>();
    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private long dataBytes;

    public TinyDecoder(Form form, int vocabSize, long seed) {
        this.form = form;
        this.vocabSize = vocabSize;
        Random random = new Random(seed);
        weights.put("tokens", random(random, vocabSize * WIDTH, 1));
        weights.put("places", random(random, CONTEXT * WIDTH, 0.5));
        weights.put("head", random(random, vocabSize * WIDTH, 1));
        for (int layer = 0; layer < LAYERS; layer++) {
            for (String name : List.of("q", "k", "v", "o")) {
                weights.put(name + layer, random(random, WIDTH * WIDTH, 0.5));
            }
        }
        weights.put("hidden", new float[] {HIDDEN});
    }

    private static float[] random(Random random, int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    /** The names that its caches have, going in and coming out. */
    public static List<String> caches(String prefix, boolean combined) {
        List<String> names = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            names.addAll(
                    combined
                            ? List.of(prefix + "." + layer)
                            : List.of(prefix + "." + layer + ".key", prefix + "." + layer + ".value"));
        }
        return names;
    }

    /** Declares one more input, which nothing reads. */
    public TinyDecoder taking(String input) {
        inputs.add(new Value(input, DataType.INT64, List.of("any")));
        return this;
    }

    /** Writes {@code name} and, beside it, {@code name_data}, as exporters do. */
    public void write(Path folder, String name) throws IOException {
        String dataFile = name + "_data";
        build();
        ByteBuffer data = ByteBuffer.allocate((int) dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        for (Tensor tensor : constants) {
            if (tensor instanceof ExternalTensor external) {
                data.position((int) external.region().offset());
                for (float value : values(external.name())) {
                    data.putFloat(value);
                }
            }
        }
        Files.createDirectories(folder);
        Files.write(folder.resolve(dataFile), data.array());
        Files.write(folder.resolve(name), OnnxWriter.write(new Graph(nodes, constants, inputs, outputs), dataFile));
    }

    private float[] values(String name) {
        return Objects.requireNonNull(weights.get(name), name);
    }

    private String weight(String name, long... dims) {
        Region region = new Region(dataBytes, values(name).length * 4L);
        dataBytes += (region.bytes() + 63) / 64 * 64;
        constants.add(new ExternalTensor(
                name, DataType.FLOAT, java.util.Arrays.stream(dims).boxed().toList(), region));
        return name;
    }

    private String ints(String name, Long... values) {
        if (constants.stream().noneMatch(constant -> constant.name().equals(name))) {
            constants.add(new InlineTensor(name, List.of((long) values.length), List.of(values)));
        }
        return name;
    }

    private String scalar(String name, long value) {
        constants.add(new InlineTensor(name, List.of(), List.of(value)));
        return name;
    }

    private String node(String operator, List<String> in, String out, Map<String, Number> attributes) {
        String domain = operator.equals("FusedMatMul") ? DecoderGraph.MICROSOFT : "";
        nodes.add(new Node(domain, operator, in, List.of(out), attributes));
        return out;
    }

    private String node(String operator, List<String> in, String out) {
        return node(operator, in, out, Map.of());
    }

    private void build() {
        DataType whole = form.longIds() ? DataType.INT64 : DataType.INT32;
        inputs.add(new Value("input_ids", whole, List.of("batch", "sequence")));
        if (form.mask()) {
            inputs.add(new Value("attention_mask", whole, List.of("batch", "total")));
        }
        if (form.positions()) {
            inputs.add(new Value("position_ids", whole, List.of("batch", "sequence")));
        }
        outputs.add(new Value(
                "logits",
                form.halfLogits() ? DataType.FLOAT16 : DataType.FLOAT,
                List.of("batch", form.lastRow() ? "one" : "sequence", (long) vocabSize)));
        String positions = positions();
        String x = node(
                "Add",
                List.of(
                        node("Gather", List.of(weight("tokens", vocabSize, WIDTH), "input_ids"), "embedded"),
                        node("Gather", List.of(weight("places", CONTEXT, WIDTH), positions), "placed")),
                "x");
        String unseen = unseen(positions);
        weight("hidden", 1);
        for (int layer = 0; layer < LAYERS; layer++) {
            x = layer(layer, x, unseen);
        }
        if (form.lastRow()) {
            x = node("Gather", List.of(x, ints("last", -1L)), "last.x", Map.of("axis", 1L));
        }
        String logits = product(x, weight("head", vocabSize, WIDTH), form.halfLogits() ? "logits.full" : "logits");
        if (form.halfLogits()) {
            node("Cast", List.of(logits), "logits", Map.of("to", (long) DataType.FLOAT16.number));
        }
    }

    private String product(String x, String weight, String out) {
        return node("FusedMatMul", List.of(x, weight), out, Map.of("transB", 1L));
    }

    /** Positions of the new tokens, {@code [1, S]} or {@code [S]}. */
    private String positions() {
        scalar("two", form.combined() ? 3 : 2);
        scalar("one", 1);
        scalar("zero", 0);
        String first = caches("past_key_values", form.combined()).getFirst();
        node("Gather", List.of(node("Shape", List.of(first), "past.shape"), "two"), "past.length");
        node("Gather", List.of(node("Shape", List.of("input_ids"), "ids.shape"), "one"), "new.length");
        node("Add", List.of("past.length", "new.length"), "total.length");
        if (form.positions()) {
            return "position_ids";
        }
        node("Range", List.of("past.length", "total.length", "one"), "positions.flat");
        return node("Unsqueeze", List.of("positions.flat", ints("axis0", 0L)), "positions");
    }

    /** True where a key lies after the query, {@code [1, 1, S, T]}; with a mask its length is the number of keys. */
    private String unseen(String positions) {
        String total = "total.length";
        if (form.mask()) {
            total = node(
                    "Gather", List.of(node("Shape", List.of("attention_mask"), "mask.shape"), "one"), "mask.length");
        }
        node("Range", List.of("zero", total, "one"), "keys.at");
        node("Cast", List.of(positions), "positions.long", Map.of("to", 7L));
        node("Unsqueeze", List.of("positions.long", ints("axes", 1L, 3L)), "queries.at");
        return node("Greater", List.of("keys.at", "queries.at"), "unseen");
    }

    private String layer(int layer, String x, String unseen) {
        String q = heads(product(x, weight("q" + layer, WIDTH, WIDTH), "q.flat" + layer), "q.heads" + layer);
        String k = heads(product(x, weight("k" + layer, WIDTH, WIDTH), "k.flat" + layer), "k.heads" + layer);
        String v = heads(product(x, weight("v" + layer, WIDTH, WIDTH), "v.flat" + layer), "v.heads" + layer);
        List<String> all =
                form.combined() ? combined(layer, k, v) : List.of(cached(layer, "key", k), cached(layer, "value", v));
        String scores =
                node("FusedMatMul", List.of(q, all.get(0)), "scores" + layer, Map.of("transB", 1L, "alpha", 0.5f));
        String masked = node("Where", List.of(unseen, "hidden", scores), "masked" + layer);
        String shares = node("Softmax", List.of(masked), "shares" + layer, Map.of("axis", -1L));
        String mixed = node("MatMul", List.of(shares, all.get(1)), "mixed" + layer);
        List<String> apart = split(mixed, "mixed.head" + layer, 1);
        List<String> squeezed = new ArrayList<>();
        for (String head : apart) {
            squeezed.add(node("Squeeze", List.of(head, ints("axis1", 1L)), head + ".flat"));
        }
        String joined = node("Concat", squeezed, "joined" + layer, Map.of("axis", -1L));
        String out = product(joined, weight("o" + layer, WIDTH, WIDTH), "out" + layer);
        return node("Tanh", List.of(node("Add", List.of(x, out), "sum" + layer)), "x" + (layer + 1));
    }

    /** {@code [1, S, width]} to {@code [1, heads, S, headDim]}. */
    private String heads(String flat, String out) {
        List<String> stacked = new ArrayList<>();
        for (String head : split(flat, out + ".part", -1)) {
            stacked.add(node("Unsqueeze", List.of(head, ints("axis1", 1L)), head + ".stacked"));
        }
        return node("Concat", stacked, out, Map.of("axis", 1L));
    }

    private List<String> split(String value, String name, long axis) {
        List<String> parts = Stream.of(0, 1).map(i -> name + "." + i).toList();
        nodes.add(new Node("", "Split", List.of(value), parts, Map.of("axis", axis)));
        return parts;
    }

    private String cached(int layer, String part, String made) {
        String past = "past_key_values." + layer + "." + part;
        String present = "present." + layer + "." + part;
        declareCache(past, present, List.of("batch", (long) HEADS, "past", (long) HEAD_DIM));
        return concat(past, present, made, 2);
    }

    private List<String> combined(int layer, String k, String v) {
        String past = "past_key_values." + layer;
        String present = "present." + layer;
        declareCache(past, present, List.of(2L, "batch", (long) HEADS, "past", (long) HEAD_DIM));
        List<String> stacked = new ArrayList<>();
        for (String part : List.of(k, v)) {
            stacked.add(node("Unsqueeze", List.of(part, ints("axis0", 0L)), part + ".one"));
        }
        String made = node("Concat", stacked, "kv" + layer, Map.of("axis", 0L));
        String all = concat(past, present, made, 3);
        List<String> apart = split(all, "kv.all" + layer, 0);
        return apart.stream()
                .map(part -> node("Squeeze", List.of(part, ints("axis0", 0L)), part + ".flat"))
                .toList();
    }

    private void declareCache(String past, String present, List<Object> dims) {
        DataType type = form.halfCache() ? DataType.FLOAT16 : DataType.FLOAT;
        inputs.add(new Value(past, type, dims));
        List<Object> out = new ArrayList<>(dims);
        out.set(out.size() - 2, "total");
        outputs.add(new Value(present, type, out));
    }

    private String concat(String past, String present, String made, long axis) {
        if (!form.halfCache()) {
            return node("Concat", List.of(past, made), present, Map.of("axis", axis));
        }
        String half = node("Cast", List.of(made), made + ".half", Map.of("to", 10L));
        node("Concat", List.of(past, half), present, Map.of("axis", axis));
        return node("Cast", List.of(present), present + ".full", Map.of("to", 1L));
    }

    /** Logits after the last of the tokens. */
    public double[] logits(int... tokens) {
        int count = tokens.length;
        double[][] x = new double[count][WIDTH];
        for (int t = 0; t < count; t++) {
            for (int d = 0; d < WIDTH; d++) {
                x[t][d] = (double) values("tokens")[tokens[t] * WIDTH + d] + values("places")[t * WIDTH + d];
            }
        }
        for (int layer = 0; layer < LAYERS; layer++) {
            double[][] q = product(x, values("q" + layer));
            double[][] k = rounded(product(x, values("k" + layer)));
            double[][] v = rounded(product(x, values("v" + layer)));
            double[][] mixed = new double[count][WIDTH];
            for (int t = 0; t < count; t++) {
                for (int head = 0; head < HEADS; head++) {
                    attend(q[t], k, v, t + 1, head * HEAD_DIM, mixed[t]);
                }
            }
            double[][] out = product(mixed, values("o" + layer));
            for (int t = 0; t < count; t++) {
                for (int d = 0; d < WIDTH; d++) {
                    x[t][d] = Math.tanh(x[t][d] + out[t][d]);
                }
            }
        }
        return product(new double[][] {x[count - 1]}, values("head"))[0];
    }

    private double[][] rounded(double[][] values) {
        for (double[] row : values) {
            for (int i = 0; form.halfCache() && i < row.length; i++) {
                row[i] = Float.float16ToFloat(Float.floatToFloat16((float) row[i]));
            }
        }
        return values;
    }

    private static void attend(double[] q, double[][] k, double[][] v, int seen, int from, double[] into) {
        double[] shares = new double[seen];
        double sum = 0;
        for (int t = 0; t < seen; t++) {
            double dot = 0;
            for (int d = from; d < from + HEAD_DIM; d++) {
                dot += q[d] * k[t][d];
            }
            shares[t] = Math.exp(dot / Math.sqrt(HEAD_DIM));
            sum += shares[t];
        }
        for (int t = 0; t < seen; t++) {
            for (int d = from; d < from + HEAD_DIM; d++) {
                into[d] += shares[t] / sum * v[t][d];
            }
        }
    }

    private static double[][] product(double[][] x, float[] weight) {
        int rows = weight.length / WIDTH;
        double[][] out = new double[x.length][rows];
        for (int t = 0; t < x.length; t++) {
            for (int row = 0; row < rows; row++) {
                for (int d = 0; d < WIDTH; d++) {
                    out[t][row] += (double) weight[row * WIDTH + d] * x[t][d];
                }
            }
        }
        return out;
    }
}
