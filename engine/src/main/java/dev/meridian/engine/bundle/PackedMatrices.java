package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.OnnxFile.Attribute;
import dev.meridian.engine.bundle.OnnxFile.Data;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import dev.meridian.engine.bundle.OnnxFile.Node;
import dev.meridian.engine.bundle.PackedMatrix.Constant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which packed weights each quantised constant of a packed bundle's {@code model.onnx} stands for: those of
 * {@code kernels.onnx} that begin where the constant says. Both graphs have passed {@link DecoderCheck}.
 */
final class PackedMatrices {
    private final Map<Long, PackedMatrix> byOffset = new TreeMap<>();
    private final Map<String, Initializer> constants = new LinkedHashMap<>();

    private PackedMatrices() {}

    /** Throws BundleException where a constant of the one graph is not what the other has there. */
    static List<PackedMatrix> of(OnnxFile model, OnnxFile kernels) {
        PackedMatrices matrices = new PackedMatrices();
        Map<String, Initializer> panels = new LinkedHashMap<>();
        kernels.graph().initializers().forEach(constant -> panels.put(constant.name(), constant));
        kernels.graph().nodes().stream()
                .filter(node -> node.domain().equals(GraphCheck.OWN_DOMAIN)
                        && !node.operator().equals("BlockAttention"))
                .forEach(node -> matrices.packed(node, panels));
        model.graph().initializers().forEach(constant -> matrices.constants.put(constant.name(), constant));
        for (Node node : model.graph().nodes()) {
            switch (node.operator()) {
                case "MatMulNBits" -> matrices.unpacked(node, 1, 2, attribute(node, "K"));
                case "GatherBlockQuantized" -> matrices.unpacked(node, 0, 2, -1);
                default -> {}
            }
        }
        return List.copyOf(matrices.byOffset.values());
    }

    private void packed(Node node, Map<String, Initializer> panels) {
        int rows = Math.toIntExact(attribute(node, "N"));
        PackedMatrix made = new PackedMatrix(
                offset(node, panels.get(node.inputs().get(1))),
                node.operator().equals("BlockGateUp") ? List.of(rows, rows) : List.of(rows),
                Math.toIntExact(attribute(node, "K")),
                Math.toIntExact(attribute(node, "bits")),
                new ArrayList<>(),
                new ArrayList<>());
        PackedMatrix before = byOffset.putIfAbsent(made.offset(), made);
        if (before != null && !before.equals(made)) {
            throw fault(node, "reads weights that another operator reads otherwise");
        }
    }

    /** Of a table the columns are those of whole blocks: what the packed one has in them, within its own last block. */
    private void unpacked(Node node, int codesInput, int scalesInput, long columns) {
        Initializer codes = constants.get(node.inputs().get(codesInput));
        Initializer scales = constants.get(node.inputs().get(scalesInput));
        long offset = offset(node, codes);
        PackedMatrix matrix = byOffset.get(offset);
        if (matrix == null || codes == null || scales == null || offset(node, scales) != offset) {
            throw fault(node, "no packed weights begin at byte " + offset);
        }
        long rows = codes.dims().getFirst();
        long bytes = (long) matrix.rows() * Panels.rowBytes(matrix.columns(), matrix.bits());
        long scaleBytes = (long) matrix.rows() * Panels.blocks(matrix.columns()) * Float.BYTES;
        if (attribute(node, "bits") != matrix.bits()
                || rows != matrix.rows()
                || (columns >= 0 && columns != matrix.columns())
                || codes.bytes() != bytes
                || scales.bytes() != scaleBytes) {
            throw fault(node, "takes other weights than the packed ones at byte " + offset);
        }
        matrix.codes().add(new Constant(codes.name(), codes.dims()));
        matrix.scales().add(new Constant(scales.name(), scales.dims()));
    }

    private static long offset(Node node, @Nullable Initializer constant) {
        if (constant != null && constant.data() instanceof Data.External external) {
            return external.offset();
        }
        throw fault(node, "its weights are not in another file");
    }

    private static long attribute(Node node, String name) {
        if (node.attributes().get(name) instanceof Attribute.Int(long value)) {
            return value;
        }
        throw fault(node, name + " is missing");
    }

    private static BundleException fault(Node node, String what) {
        return new BundleException(GraphCheck.where(node) + what);
    }
}
