package dev.meridian.builder.graph;

import com.google.protobuf.ByteString;
import dev.meridian.builder.graph.Onnx.DataType;
import dev.meridian.builder.graph.Onnx.ExternalTensor;
import dev.meridian.builder.graph.Onnx.Graph;
import dev.meridian.builder.graph.Onnx.InlineTensor;
import dev.meridian.builder.graph.Onnx.Node;
import dev.meridian.builder.graph.Onnx.Tensor;
import dev.meridian.builder.graph.Onnx.Value;
import dev.meridian.builder.graph.WeightMatrix.Arrangement;
import dev.meridian.builder.graph.WeightMatrix.Part;
import dev.meridian.builder.quant.BlockQuantizer;
import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.bundle.GraphCheck;
import dev.meridian.engine.bundle.Panels;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Collects nodes and constants; every method that adds a node returns the name of its first output. */
final class GraphBuilder {
    static final String COSINES = "rotary.cos";
    static final String SINES = "rotary.sin";
    /**
     * MatMulNBits computes with activations rounded to int8 in blocks. Against float32 activations (level 0),
     * measured with int8 weights on ONNX Runtime 1.29 and AVX2: on a trained model the logits' relative error rises
     * from 0.010 to 0.017 and 3 of 400 more greedy choices change, while a token of a model of 0.5 B parameters takes
     * 94 ms and not 6.7 s, since level 0 has no kernel for 8 bits and unpacks the whole matrix in every step.
     */
    static final int INT8_ACTIVATIONS = 4;

    private static final String MICROSOFT = DecoderGraph.MICROSOFT;
    private static final String EMBEDDING = "embedding.weight";

    private final Weights weights;
    private final int accuracyLevel;
    private final Dialect dialect;
    private final DataLayout layout = new DataLayout();
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new LinkedHashMap<>();
    private final List<WeightMatrix> matrices = new ArrayList<>();
    private long loadedBytes;
    private long mappedBytes;
    private @Nullable WeightMatrix embedding;

    GraphBuilder(Weights weights, int accuracyLevel, Dialect dialect) {
        this.weights = weights;
        this.dialect = dialect;
        this.accuracyLevel = accuracyLevel;
    }

    /** The sum of a residual and a branch, and its norm. */
    record Normed(String sum, String normed) {}

    DecoderPlan plan(List<Value> inputs, List<Value> outputs, RotaryTable rotary, String dataFile) {
        Graph graph = new Graph(nodes, List.copyOf(constants.values()), inputs, outputs);
        return new DecoderPlan(
                ByteString.copyFrom(OnnxWriter.write(graph, dataFile)),
                Optional.empty(),
                List.copyOf(matrices),
                rotary,
                layout.bytes(),
                loadedBytes,
                mappedBytes);
    }

    @SafeVarargs
    static Map<String, Number> attributes(Map.Entry<String, ? extends Number>... entries) {
        Map<String, Number> attributes = new LinkedHashMap<>();
        for (Map.Entry<String, ? extends Number> entry : entries) {
            attributes.put(entry.getKey(), entry.getValue());
        }
        return attributes;
    }

    String node(
            String domain, String operator, List<String> inputs, List<String> outputs, Map<String, Number> attributes) {
        nodes.add(new Node(domain, operator, inputs, outputs, attributes));
        return outputs.getFirst();
    }

    RotaryTable rotary(float[] frequencies, int positions) {
        long bytes = (long) positions * frequencies.length * Float.BYTES;
        Region cosines = layout.add(bytes);
        Region sines = layout.add(bytes);
        List<Long> dims = List.of((long) positions, (long) frequencies.length);
        constants.put(COSINES, new ExternalTensor(COSINES, DataType.FLOAT, dims, cosines));
        constants.put(SINES, new ExternalTensor(SINES, DataType.FLOAT, dims, sines));
        loadedBytes += 2 * bytes;
        mappedBytes += 2 * bytes;
        return new RotaryTable(frequencies, positions, cosines, sines);
    }

    String norm(String name, String input, String weight, int width, float epsilon) {
        String gain = vector(name + ".weight", List.of(new Part(weight, width, true)));
        return node(
                "",
                "SimplifiedLayerNormalization",
                List.of(input, gain),
                List.of(name),
                attributes(Map.entry("axis", -1L), Map.entry("epsilon", epsilon), Map.entry("stash_type", 1L)));
    }

    Normed addAndNorm(String name, String residual, String branch, String weight, int width, float epsilon) {
        String gain = vector(name + ".weight", List.of(new Part(weight, width, true)));
        String sum = name + ".sum";
        node(
                MICROSOFT,
                "SkipSimplifiedLayerNormalization",
                List.of(residual, branch, gain),
                List.of(name, "", "", sum),
                attributes(Map.entry("epsilon", epsilon)));
        return new Normed(sum, name);
    }

    String reshape(String name, String input, List<Long> shape) {
        return node("", "Reshape", List.of(input, integers(shape)), List.of(name), Map.of());
    }

    List<String> split(List<String> names, String input, List<Integer> widths) {
        String sizes = integers(widths.stream().map(Integer::longValue).toList());
        node("", "Split", List.of(input, sizes), names, attributes(Map.entry("axis", -1L)));
        return names;
    }

    /** {@code [B, S, width]} to the rows of {@code [B * S, width]} that {@code indices} names. */
    String rows(String name, String input, int width, String indices) {
        String flat = reshape(name + ".flat", input, List.of(-1L, (long) width));
        return node("", "Gather", List.of(flat, indices), List.of(name), attributes(Map.entry("axis", 0L)));
    }

    /** Stacked projections as one product, with their biases added where they have some. */
    String linear(String name, String input, List<Part> projections, int columns, boolean bias) {
        WeightMatrix matrix = product(projections, columns, arrangement());
        @Nullable String biases = bias ? vector(name + ".bias", suffixed(projections, ".bias", true)) : null;
        return product(name, input, name, matrix, biases);
    }

    /** A gate and what it gates as one product without biases, gate first. */
    String linearPair(String name, String input, List<Part> projections, int columns) {
        return product(name, input, name, product(projections, columns, pairs()), null);
    }

    /** Whether Meridian's own operators compute, and not ONNX Runtime's. */
    boolean ownOperators() {
        return dialect == Dialect.KERNELS;
    }

    /** SiLU of a gate times what it gates, in one operator. */
    String gateUp(String output, String name, String input, List<Part> projections, int columns) {
        WeightMatrix matrix = product(projections, columns, pairs());
        long rows = projections.getFirst().rows();
        return node(
                GraphCheck.OWN_DOMAIN,
                "BlockGateUp",
                List.of(input, panels(name + ".weight", matrix)),
                List.of(output),
                blockAttributes(columns, rows));
    }

    private Arrangement arrangement() {
        return dialect == Dialect.ROWS ? Arrangement.ROWS : Arrangement.PANELS;
    }

    private Arrangement pairs() {
        return dialect == Dialect.ROWS ? Arrangement.ROWS : Arrangement.ALTERNATING;
    }

    private Map<String, Number> blockAttributes(int columns, long rows) {
        return attributes(
                Map.entry("K", (long) columns), Map.entry("N", rows), Map.entry("bits", (long) weights.bits()));
    }

    private String panels(String name, WeightMatrix matrix) {
        return external(name, DataType.UINT8, List.of(matrix.data().bytes()), matrix.data());
    }

    String embedding(String name, Part table, int width, String ids) {
        WeightMatrix matrix = matrix(suffixed(List.of(table), ".weight", false), width, arrangement());
        embedding = matrix;
        if (dialect != Dialect.KERNELS) {
            // ONNX Runtime keeps a copy of the table besides the one that it was given.
            loadedBytes += packedBytes(matrix);
        }
        if (dialect == Dialect.KERNELS) {
            return node(
                    GraphCheck.OWN_DOMAIN,
                    "BlockEmbed",
                    List.of(ids, panels(EMBEDDING, matrix)),
                    List.of(name),
                    blockAttributes(width, matrix.rows()));
        }
        if (!weights.isQuantised()) {
            boolean half = weights == Weights.F16;
            String weight = external(EMBEDDING, type(), List.of((long) matrix.rows(), (long) width), matrix.data());
            String gathered = node(
                    "",
                    "Gather",
                    List.of(weight, ids),
                    List.of(half ? name + ".half" : name),
                    attributes(Map.entry("axis", 0L)));
            return half ? widened(gathered, name) : gathered;
        }
        int rowBytes = BlockQuantizer.rowBytes(weights, width);
        long blocks = BlockQuantizer.blocks(width);
        String codes = codes(EMBEDDING, List.of((long) matrix.rows(), (long) rowBytes), matrix);
        String scale = scales(EMBEDDING + ".scale", List.of((long) matrix.rows(), blocks), matrix);
        boolean padded = width % BlockQuantizer.BLOCK != 0;
        String gathered = node(
                MICROSOFT,
                "GatherBlockQuantized",
                List.of(codes, ids, scale),
                List.of(padded ? name + ".padded" : name),
                attributes(
                        Map.entry("bits", (long) weights.bits()),
                        Map.entry("block_size", (long) BlockQuantizer.BLOCK),
                        Map.entry("gather_axis", 0L),
                        Map.entry("quantize_axis", 1L)));
        if (!padded) {
            return gathered;
        }
        // The packed rows are whole blocks; what the last block has too much is cut off.
        List<String> bounds =
                List.of(gathered, integers(List.of(0L)), integers(List.of((long) width)), integers(List.of(-1L)));
        return node("", "Slice", bounds, List.of(name), Map.of());
    }

    /** The product that gives {@code logits}. */
    void head(String input, Part table, int width) {
        product("logits", input, "head", product(List.of(table), width, arrangement()), null);
    }

    /** The same over the embedding's own bytes, which the kernel packs once more for itself. */
    void tiedHead(String input) {
        WeightMatrix shared = Objects.requireNonNull(embedding, "the embedding comes first");
        if (dialect == Dialect.KERNELS) {
            node(
                    GraphCheck.OWN_DOMAIN,
                    "BlockGemm",
                    List.of(input, EMBEDDING),
                    List.of("logits"),
                    blockAttributes(shared.columns(), shared.rows()));
            return;
        }
        loadedBytes += packedBytes(shared);
        product("logits", input, "head", shared, null);
    }

    private String product(String output, String input, String name, WeightMatrix matrix, @Nullable String bias) {
        long rows = matrix.rows();
        if (dialect == Dialect.KERNELS) {
            String packed = panels(name + ".weight", matrix);
            return node(
                    GraphCheck.OWN_DOMAIN,
                    "BlockGemm",
                    bias == null ? List.of(input, packed) : List.of(input, packed, bias),
                    List.of(output),
                    blockAttributes(matrix.columns(), rows));
        }
        if (!weights.isQuantised()) {
            String stored = external(name + ".weight", type(), List.of(rows, (long) matrix.columns()), matrix.data());
            String weight = stored;
            if (weights == Weights.F16) {
                weight = widened(stored, name + ".weight.wide");
                loadedBytes += matrix.data().bytes();
            }
            String product = bias == null ? output : output + ".product";
            node(
                    MICROSOFT,
                    "FusedMatMul",
                    List.of(input, weight),
                    List.of(product),
                    attributes(Map.entry("transB", 1L)));
            return bias == null ? output : node("", "Add", List.of(product, bias), List.of(output), Map.of());
        }
        long blocks = BlockQuantizer.blocks(matrix.columns());
        long blockBytes = BlockQuantizer.rowBytes(weights, BlockQuantizer.BLOCK);
        String codes = codes(name + ".weight", List.of(rows, blocks, blockBytes), matrix);
        String scale = scales(name + ".scale", List.of(rows, blocks), matrix);
        return node(
                MICROSOFT,
                "MatMulNBits",
                bias == null ? List.of(input, codes, scale) : List.of(input, codes, scale, "", "", bias),
                List.of(output),
                attributes(
                        Map.entry("K", (long) matrix.columns()),
                        Map.entry("N", rows),
                        Map.entry("bits", (long) weights.bits()),
                        Map.entry("block_size", (long) BlockQuantizer.BLOCK),
                        Map.entry("accuracy_level", (long) accuracyLevel)));
    }

    private DataType type() {
        return weights == Weights.F16 ? DataType.FLOAT16 : DataType.FLOAT;
    }

    /** Float16 as float32, the only type that the CPU provider multiplies. */
    private String widened(String half, String name) {
        Map.Entry<String, Long> to = Map.entry("to", (long) DataType.FLOAT.number);
        return node("", "Cast", List.of(half), List.of(name), attributes(to));
    }

    /** Of packed weights the region says where the panels begin, and its length is what the engine unpacks from there. */
    private String codes(String name, List<Long> dims, WeightMatrix matrix) {
        long bytes = (long) matrix.rows() * BlockQuantizer.rowBytes(weights, matrix.columns());
        return external(name, DataType.UINT8, dims, new Region(matrix.data().offset(), bytes));
    }

    private String scales(String name, List<Long> dims, WeightMatrix matrix) {
        Region own = matrix.scales();
        return external(
                name,
                DataType.FLOAT,
                dims,
                own == null ? new Region(matrix.data().offset(), scaleBytes(matrix)) : own);
    }

    private WeightMatrix product(List<Part> projections, int columns, Arrangement arrangement) {
        WeightMatrix matrix = matrix(suffixed(projections, ".weight", false), columns, arrangement);
        loadedBytes += packedBytes(matrix);
        return matrix;
    }

    private WeightMatrix matrix(List<Part> parts, int columns, Arrangement arrangement) {
        long rows = parts.stream().mapToLong(Part::rows).sum();
        WeightMatrix matrix;
        if (!weights.isQuantised()) {
            Region values = layout.add(rows * columns * weights.bits() / Byte.SIZE);
            matrix = new WeightMatrix(parts, columns, weights, arrangement, values, null);
        } else if (arrangement != Arrangement.ROWS) {
            long bytes = arrangement == Arrangement.PANELS
                    ? Panels.bytes(Math.toIntExact(rows), columns, weights.bits())
                    : parts.stream()
                            .mapToLong(part -> Panels.bytes(part.rows(), columns, weights.bits()))
                            .sum();
            matrix = new WeightMatrix(parts, columns, weights, arrangement, layout.addPaged(bytes), null);
            // Unpacked, before MatMulNBits packs it for itself.
            loadedBytes += matrix.rows() * (long) BlockQuantizer.rowBytes(weights, columns) + scaleBytes(matrix);
            mappedBytes += bytes;
        } else {
            Region codes = layout.add(rows * BlockQuantizer.rowBytes(weights, columns));
            Region scales = layout.add(rows * BlockQuantizer.blocks(columns) * Float.BYTES);
            matrix = new WeightMatrix(parts, columns, weights, arrangement, codes, scales);
        }
        matrices.add(matrix);
        return matrix;
    }

    /** The kernels' packed form of quantised weights has the scales twice: once for products, once for block sums. */
    private static long packedBytes(WeightMatrix matrix) {
        return matrix.encoding().isQuantised()
                ? (long) matrix.rows() * BlockQuantizer.rowBytes(matrix.encoding(), matrix.columns())
                        + 2 * scaleBytes(matrix)
                : matrix.data().bytes();
    }

    private static long scaleBytes(WeightMatrix matrix) {
        return (long) matrix.rows() * BlockQuantizer.blocks(matrix.columns()) * Float.BYTES;
    }

    private String vector(String name, List<Part> parts) {
        long rows = parts.stream().mapToLong(Part::rows).sum();
        WeightMatrix matrix =
                new WeightMatrix(parts, 1, Weights.F32, Arrangement.ROWS, layout.add(rows * Float.BYTES), null);
        matrices.add(matrix);
        loadedBytes += matrix.data().bytes();
        mappedBytes += matrix.data().bytes();
        return external(name, DataType.FLOAT, List.of(rows), matrix.data());
    }

    private static List<Part> suffixed(List<Part> projections, String suffix, boolean vector) {
        return projections.stream()
                .map(p -> new Part(p.tensor() + suffix, p.rows(), vector))
                .toList();
    }

    private String external(String name, DataType type, List<Long> dims, Region region) {
        constants.put(name, new ExternalTensor(name, type, dims, region));
        return name;
    }

    private String integers(List<Long> values) {
        String name = "const" + Stream.of(values.toArray()).map(v -> "_" + v).reduce("", String::concat);
        constants.putIfAbsent(name, new InlineTensor(name, List.of((long) values.size()), values));
        return name;
    }
}
