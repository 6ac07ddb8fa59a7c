package dev.meridian.builder;

import dev.meridian.builder.graph.DecoderGraph;
import dev.meridian.builder.graph.DecoderPlan;
import dev.meridian.builder.graph.Region;
import dev.meridian.builder.graph.TokenTables;
import dev.meridian.builder.graph.WeightMatrix;
import dev.meridian.builder.graph.WeightMatrix.Arrangement;
import dev.meridian.builder.graph.WeightMatrix.Part;
import dev.meridian.builder.quant.BlockDecoder;
import dev.meridian.builder.quant.BlockQuantizer;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.Checkpoint;
import dev.meridian.builder.source.ConfigReader;
import dev.meridian.builder.source.ImportException;
import dev.meridian.builder.source.ModelConfig;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.Panels;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How far a bundle's weights are from their checkpoint's. Both are read from disk: what the bundle's file stands for against
 * the checkpoint as float32. The relative error of some weights is the root of the sum of squared differences over the sum
 * of squares, {@code sqrt(sum((w' - w)^2) / sum(w^2))}: 0 is no error, 1 as bad as weights that are all zero. Only matrices
 * count; norms and biases are never rounded. One thread; memory does not grow with the model.
 */
public final class WeightErrors {
    private static final String LAYERS = "model.layers.";

    private final Checkpoint checkpoint;
    private final FileChannel data;
    private final Weights weights;
    private final TokenTables tables;
    private final Map<String, Sums> layers = new LinkedHashMap<>();
    private final Sums all = new Sums();

    private WeightErrors(Checkpoint checkpoint, FileChannel data, Weights weights, TokenTables tables) {
        this.checkpoint = checkpoint;
        this.data = data;
        this.weights = weights;
        this.tables = tables;
    }

    /**
     * A layer's error.
     *
     * @param layer its number, {@code embedding} or {@code head}
     * @param error of all its matrices together
     * @param worst the checkpoint's tensor that has the largest error of them
     * @param worstError of that tensor
     */
    public record Layer(String layer, double error, String worst, double worstError) {}

    /**
     * A bundle's errors.
     *
     * @param error of all matrices together
     * @param layers embedding, layers by number, head where it is a tensor of its own
     */
    public record Report(double error, List<Layer> layers) {
        public Report {
            layers = List.copyOf(layers);
        }
    }

    /**
     * Compares a bundle that was imported from a folder of weights with that folder.
     *
     * @throws ImportException where a file is not as import left it
     */
    public static Report of(Path source, Path bundle) throws ImportException {
        Report[] report = new Report[1];
        IoFailures.named(bundle, () -> report[0] = compared(source, bundle));
        return report[0];
    }

    private static Report compared(Path source, Path bundle) throws ImportException, IOException {
        ModelConfig config = ConfigReader.read(source.resolve("config.json"));
        BundleManifest manifest = Bundle.open(bundle).manifest();
        Weights weights = Weights.labelled(manifest.weights());
        Path file = bundle.resolve(BundleManifest.WEIGHTS_FILE);
        try (Checkpoint checkpoint = Checkpoint.open(source);
                FileChannel data = FileChannel.open(file, StandardOpenOption.READ)) {
            TokenTables tables = Importer.tables(config, checkpoint);
            DecoderPlan plan = manifest.packing() == null
                    ? DecoderGraph.unpacked(config, weights, tables, BundleManifest.WEIGHTS_FILE)
                    : DecoderGraph.plan(config, weights, tables, BundleManifest.WEIGHTS_FILE);
            if (data.size() != plan.dataBytes()) {
                throw new ImportException(
                        file + ": " + data.size() + " bytes, what " + source + " becomes takes " + plan.dataBytes());
            }
            return new WeightErrors(checkpoint, data, weights, tables).run(plan);
        }
    }

    private Report run(DecoderPlan plan) throws ImportException, IOException {
        int widest =
                plan.matrices().stream().mapToInt(WeightMatrix::columns).max().orElse(1);
        WeightPiece piece = new WeightPiece(weights, widest);
        float[] stored = new float[piece.values.length];
        for (WeightMatrix matrix : plan.matrices()) {
            int start = 0;
            for (Part part : matrix.parts()) {
                if (!part.vector()) {
                    add(part, matrix, start, piece, stored);
                }
                start += part.rows();
            }
        }
        List<Layer> found = new ArrayList<>();
        layers.forEach((name, sums) -> found.add(new Layer(name, sums.error(), sums.worst, sums.worstError)));
        return new Report(all.error(), found);
    }

    private void add(Part part, WeightMatrix matrix, int start, WeightPiece piece, float[] stored)
            throws ImportException, IOException {
        int columns = matrix.columns();
        int step = WeightPiece.rows(matrix);
        Sums tensor = new Sums();
        for (int row = 0; row < part.rows(); row += step) {
            int rows = Math.min(step, part.rows() - row);
            int count = rows * columns;
            checkpoint.read(part.tensor(), (long) row * columns, count, piece.values, 0, piece.scratch);
            read(matrix, start + row, rows, piece, stored);
            tensor.add(piece.values, stored, count);
        }
        all.add(tensor, part.tensor());
        layers.computeIfAbsent(layer(part.tensor()), _ -> new Sums()).add(tensor, part.tensor());
    }

    private String layer(String tensor) {
        if (tensor.startsWith(LAYERS)) {
            return tensor.substring(LAYERS.length(), tensor.indexOf('.', LAYERS.length()));
        }
        return tensor.equals(tables.embedding() + ".weight") ? "embedding" : "head";
    }

    /** Rows of a matrix as the bundle's file has them. */
    private void read(WeightMatrix matrix, int firstRow, int rows, WeightPiece piece, float[] into) throws IOException {
        int count = rows * matrix.columns();
        if (matrix.arrangement() != Arrangement.ROWS) {
            readPanels(matrix, firstRow, rows, piece);
            BlockDecoder.decode(weights, piece.codes, piece.scales, rows, matrix.columns(), into);
            return;
        }
        Region scales = matrix.scales();
        if (scales != null) {
            int blocks = BlockQuantizer.blocks(matrix.columns());
            int rowBytes = BlockQuantizer.rowBytes(weights, matrix.columns());
            readFully(scales.offset() + (long) firstRow * blocks * Float.BYTES, rows * blocks * Float.BYTES, piece)
                    .asFloatBuffer()
                    .get(piece.scales, 0, rows * blocks);
            readFully(matrix.data().offset() + (long) firstRow * rowBytes, rows * rowBytes, piece)
                    .get(piece.codes, 0, rows * rowBytes);
            BlockDecoder.decode(weights, piece.codes, piece.scales, rows, matrix.columns(), into);
            return;
        }
        int bytes = weights.bits() / Byte.SIZE;
        long offset = matrix.data().offset() + (long) firstRow * matrix.columns() * bytes;
        ByteBuffer read = readFully(offset, count * bytes, piece);
        if (weights == Weights.F32) {
            read.asFloatBuffer().get(into, 0, count);
        } else {
            for (int i = 0; i < count; i++) {
                into[i] = Float.float16ToFloat(read.getShort(i * bytes));
            }
        }
    }

    /**
     * Codes and scales of rows, which need not begin with a panel: the panels around them are read one by one, and the rows
     * that are wanted are moved to the front.
     */
    private void readPanels(WeightMatrix matrix, int firstRow, int rows, WeightPiece piece) throws IOException {
        int columns = matrix.columns();
        int bits = weights.bits();
        int partRows = matrix.rowsPaddedTogether();
        int panelBytes = Math.toIntExact(Panels.panelBytes(columns, bits));
        int rowBytes = BlockQuantizer.rowBytes(weights, columns);
        int blocks = BlockQuantizer.blocks(columns);
        byte[] codes = new byte[Panels.ROWS * rowBytes];
        float[] scales = new float[Panels.ROWS * blocks];
        int done = 0;
        while (done < rows) {
            int row = firstRow + done;
            int lane = row % partRows % Panels.ROWS;
            int held = Math.min(Panels.ROWS, partRows - (row % partRows - lane));
            int count = Math.min(held - lane, rows - done);
            readFully(PanelPlaces.offset(matrix, row - lane), panelBytes, piece).get(piece.packed, 0, panelBytes);
            Panels.unpack(bits, piece.packed, 0, codes, scales, 0, held, columns);
            System.arraycopy(codes, lane * rowBytes, piece.codes, done * rowBytes, count * rowBytes);
            System.arraycopy(scales, lane * blocks, piece.scales, done * blocks, count * blocks);
            done += count;
        }
    }

    private ByteBuffer readFully(long offset, int bytes, WeightPiece piece) throws IOException {
        ByteBuffer into = piece.scratch.clear().limit(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (into.hasRemaining()) {
            if (data.read(into, offset + into.position()) < 0) {
                throw new EOFException("the weights end at byte " + (offset + into.position()));
            }
        }
        return into.flip();
    }

    /** Squares of differences and of values, and the tensor with the largest share. */
    private static final class Sums {
        private double differences;
        private double values;
        private String worst = "";
        private double worstError = -1;

        void add(float[] expected, float[] actual, int count) {
            double differing = 0;
            double size = 0;
            for (int i = 0; i < count; i++) {
                double difference = (double) actual[i] - expected[i];
                differing += difference * difference;
                size += (double) expected[i] * expected[i];
            }
            differences += differing;
            values += size;
        }

        void add(Sums tensor, String name) {
            differences += tensor.differences;
            values += tensor.values;
            if (tensor.error() > worstError) {
                worst = name;
                worstError = tensor.error();
            }
        }

        /** Of weights that are all zero it is 0 where they stayed so. */
        double error() {
            return differences == 0 ? 0 : Math.sqrt(differences / values);
        }
    }
}
