package dev.meridian.builder;

import dev.meridian.builder.graph.DecoderPlan;
import dev.meridian.builder.graph.Region;
import dev.meridian.builder.graph.RotaryTable;
import dev.meridian.builder.graph.WeightMatrix;
import dev.meridian.builder.graph.WeightMatrix.Arrangement;
import dev.meridian.builder.quant.BlockQuantizer;
import dev.meridian.builder.quant.Float16;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.Panels;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Writes the external data file. Every byte's place is known beforehand, so pieces are encoded on all cores and
 * written where they belong, and the file does not depend on the order. Bytes between regions are zero.
 */
final class WeightFile {
    private static final int MAX_WORKERS = 16;

    private final Path path;
    private final DecoderPlan plan;
    private final Weights weights;
    private final WeightEncoder encoder;
    private final ProgressListener listener;
    private final List<Piece> pieces = new ArrayList<>();
    private final AtomicInteger next = new AtomicInteger();
    private final Object progressLock = new Object();
    private long writtenBytes;

    private WeightFile(Path path, DecoderPlan plan, Weights weights, WeightEncoder encoder, ProgressListener listener) {
        this.path = path;
        this.plan = plan;
        this.weights = weights;
        this.encoder = encoder;
        this.listener = listener;
        for (WeightMatrix matrix : plan.matrices()) {
            // No panel has rows of two parts that alternate.
            int rows = matrix.rowsPaddedTogether();
            for (int start = 0; start < matrix.rows(); start += rows) {
                addPieces(matrix, start, rows);
            }
        }
    }

    private void addPieces(WeightMatrix matrix, int start, int rows) {
        int step = WeightPiece.rows(matrix);
        for (int row = 0; row < rows; row += step) {
            pieces.add(new Piece(matrix, start + row, Math.min(step, rows - row)));
        }
    }

    private record Piece(WeightMatrix matrix, int firstRow, int rows) {}

    static void write(Path file, DecoderPlan plan, Weights weights, WeightEncoder encoder, ProgressListener listener)
            throws ImportException, IOException {
        new WeightFile(file, plan, weights, encoder, listener).write();
    }

    private void write() throws ImportException, IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            setLength(file);
            FileChannel channel = file.getChannel();
            writeRotary(channel);
            writePieces(channel);
            force(channel);
        }
        listener.progress(ProgressListener.Phase.WEIGHTS, plan.dataBytes(), plan.dataBytes());
    }

    private void setLength(RandomAccessFile file) throws IOException {
        try {
            file.setLength(plan.dataBytes());
        } catch (IOException e) {
            throw IoFailures.at(path, e);
        }
    }

    private void force(FileChannel channel) throws IOException {
        try {
            channel.force(true);
        } catch (IOException e) {
            throw IoFailures.at(path, e);
        }
    }

    private void writePieces(FileChannel channel) throws ImportException, IOException {
        int workers = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, MAX_WORKERS);
        int widest =
                plan.matrices().stream().mapToInt(WeightMatrix::columns).max().orElse(1);
        ExecutorService pool = Executors.newFixedThreadPool(
                workers, Thread.ofPlatform().name("import-", 0).factory());
        try {
            var running = new ExecutorCompletionService<Void>(pool);
            for (int i = 0; i < workers; i++) {
                running.submit(() -> work(channel, new WeightPiece(weights, widest)));
            }
            for (int i = 0; i < workers; i++) {
                running.take().get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            var interrupted = new InterruptedIOException("import interrupted");
            interrupted.initCause(e);
            throw interrupted;
        } catch (ExecutionException e) {
            throw rethrown(e.getCause());
        } finally {
            next.set(pieces.size());
            pool.close();
        }
    }

    /** The failure of a worker, as the caller's own: an IOException is returned, others are thrown. */
    private static IOException rethrown(@Nullable Throwable cause) throws ImportException {
        return switch (cause) {
            case ImportException e -> throw e;
            case IOException e -> e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case null, default -> throw new IllegalStateException(cause);
        };
    }

    private Void work(FileChannel channel, WeightPiece buffers) throws ImportException, IOException {
        for (int i = next.getAndIncrement(); i < pieces.size(); i = next.getAndIncrement()) {
            Piece piece = pieces.get(i);
            encoder.encode(piece.matrix(), piece.firstRow(), piece.rows(), buffers);
            writePiece(channel, piece, buffers);
        }
        // The counter stays within reach of int: each worker passes the end once.
        return done();
    }

    @SuppressWarnings("NullAway") // Void has no other value
    private static Void done() {
        return null;
    }

    private void writePiece(FileChannel channel, Piece piece, WeightPiece buffers) throws IOException {
        WeightMatrix matrix = piece.matrix();
        Region scales = matrix.scales();
        long bytes;
        if (matrix.arrangement() != Arrangement.ROWS) {
            bytes = writePanels(channel, piece, buffers);
        } else if (scales == null) {
            long rowBytes = (long) matrix.columns() * matrix.encoding().bits() / Byte.SIZE;
            bytes = rowBytes * piece.rows();
            long offset = matrix.data().offset() + rowBytes * piece.firstRow();
            int count = piece.rows() * matrix.columns();
            if (matrix.encoding() == Weights.F16) {
                Float16.put(buffers.values, count, buffers.scratch.clear());
                writeFully(channel, offset, buffers.scratch.flip());
            } else {
                writeFloats(channel, offset, buffers.values, count, buffers.scratch);
            }
        } else {
            int rowBytes = BlockQuantizer.rowBytes(matrix.encoding(), matrix.columns());
            int blocks = BlockQuantizer.blocks(matrix.columns());
            int codeBytes = rowBytes * piece.rows();
            bytes = codeBytes + (long) blocks * Float.BYTES * piece.rows();
            writeFully(
                    channel,
                    matrix.data().offset() + (long) rowBytes * piece.firstRow(),
                    ByteBuffer.wrap(buffers.codes, 0, codeBytes));
            writeFloats(
                    channel,
                    scales.offset() + (long) blocks * Float.BYTES * piece.firstRow(),
                    buffers.scales,
                    blocks * piece.rows(),
                    buffers.scratch);
        }
        report(bytes);
    }

    private long writePanels(FileChannel channel, Piece piece, WeightPiece buffers) throws IOException {
        WeightMatrix matrix = piece.matrix();
        int count = Math.ceilDiv(piece.rows(), Panels.ROWS);
        int panelBytes = Math.toIntExact(
                Panels.panelBytes(matrix.columns(), matrix.encoding().bits()));
        for (int i = 0; i < count; i++) {
            int row = i * Panels.ROWS;
            int rows = Math.min(Panels.ROWS, piece.rows() - row);
            int bits = matrix.encoding().bits();
            Panels.pack(
                    bits, buffers.codes, buffers.scales, row, rows, matrix.columns(), buffers.packed, i * panelBytes);
        }
        if (matrix.arrangement() == Arrangement.PANELS) {
            ByteBuffer all = ByteBuffer.wrap(buffers.packed, 0, count * panelBytes);
            writeFully(channel, PanelPlaces.offset(matrix, piece.firstRow()), all);
        } else {
            for (int i = 0; i < count; i++) {
                ByteBuffer one = ByteBuffer.wrap(buffers.packed, i * panelBytes, panelBytes);
                writeFully(channel, PanelPlaces.offset(matrix, piece.firstRow() + i * Panels.ROWS), one);
            }
        }
        return (long) count * panelBytes;
    }

    private void report(long bytes) {
        synchronized (progressLock) {
            writtenBytes += bytes;
            listener.progress(ProgressListener.Phase.WEIGHTS, writtenBytes, plan.dataBytes());
        }
    }

    private void writeRotary(FileChannel channel) throws IOException {
        RotaryTable table = plan.rotary();
        int width = table.width();
        int step = Math.max(1, WeightPiece.VALUES / width);
        float[] cosines = new float[Math.min(step, table.positions()) * width];
        float[] sines = new float[cosines.length];
        ByteBuffer scratch =
                ByteBuffer.allocateDirect(cosines.length * Float.BYTES).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (int first = 0; first < table.positions(); first += step) {
            int rows = Math.min(step, table.positions() - first);
            for (int row = 0; row < rows; row++) {
                table.row(first + row, cosines, sines, row * width);
            }
            long offset = (long) first * width * Float.BYTES;
            writeFloats(channel, table.cosines().offset() + offset, cosines, rows * width, scratch);
            writeFloats(channel, table.sines().offset() + offset, sines, rows * width, scratch);
            report(2L * rows * width * Float.BYTES);
        }
    }

    private void writeFloats(FileChannel channel, long offset, float[] values, int count, ByteBuffer scratch)
            throws IOException {
        scratch.clear();
        scratch.order(java.nio.ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values, 0, count);
        writeFully(channel, offset, scratch.limit(count * Float.BYTES));
    }

    private void writeFully(FileChannel channel, long offset, ByteBuffer bytes) throws IOException {
        long at = offset;
        try {
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
        } catch (IOException e) {
            throw IoFailures.at(path, e);
        }
    }
}
