package dev.meridian.engine.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.PackedMatrix;
import dev.meridian.engine.bundle.PackedMatrix.Constant;
import dev.meridian.engine.bundle.Panels;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * A packed bundle's weights as ONNX Runtime's own operators take them, in native memory: what a graph of them needs where
 * Meridian's operators are not to be had. Whoever opens them closes them, after the session. One thread.
 */
public final class UnpackedWeights implements AutoCloseable {
    private static final int LINE = 64;
    private static final int READ_BYTES = 1 << 20;

    private final LazyMemory memory;
    private final Map<String, OnnxTensorLike> tensors = new HashMap<>();
    private long end;
    /** Panels as they are read, and one of them unpacked; kept from matrix to matrix. */
    private byte[] panels = new byte[0];

    private byte[] codes = new byte[0];
    private float[] scales = new float[0];

    private UnpackedWeights(LazyMemory memory) {
        this.memory = memory;
    }

    /** Reads and unpacks all of them. Throws BundleException where the file ends early or memory is short. */
    public static UnpackedWeights of(CheckedBundle checked) {
        long bytes = checked.packed().stream()
                .mapToLong(matrix -> aligned(codeBytes(matrix)) + aligned(scaleBytes(matrix)))
                .sum();
        UnpackedWeights weights = new UnpackedWeights(LazyMemory.map(Math.max(LINE, bytes)));
        try (FileChannel file = FileChannel.open(
                checked.bundle().file(BundleManifest.WEIGHTS_FILE),
                StandardOpenOption.READ,
                LinkOption.NOFOLLOW_LINKS)) {
            for (PackedMatrix matrix : checked.packed()) {
                weights.add(matrix, file);
            }
            weights.panels = new byte[0];
            return weights;
        } catch (IOException | OrtException e) {
            weights.close();
            throw new BundleException(checked.bundle().folder() + ": weights cannot be unpacked: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** By the names that the graph gives its constants. */
    public Map<String, OnnxTensorLike> tensors() {
        return tensors;
    }

    private static long codeBytes(PackedMatrix matrix) {
        return (long) matrix.rows() * Panels.rowBytes(matrix.columns(), matrix.bits());
    }

    private static long scaleBytes(PackedMatrix matrix) {
        return (long) matrix.rows() * Panels.blocks(matrix.columns()) * Float.BYTES;
    }

    private static long aligned(long bytes) {
        return Math.ceilDiv(bytes, LINE) * LINE;
    }

    private MemorySegment take(long bytes) {
        MemorySegment taken = memory.segment().asSlice(end, bytes);
        end += aligned(bytes);
        return taken;
    }

    private void add(PackedMatrix matrix, FileChannel file) throws IOException, OrtException {
        if (Math.max(codeBytes(matrix), scaleBytes(matrix)) > Integer.MAX_VALUE) {
            throw new BundleException("a matrix of " + matrix.rows() + " rows and " + matrix.columns()
                    + " columns passes 2 GiB unpacked; it needs Meridian's kernels");
        }
        MemorySegment allCodes = take(codeBytes(matrix));
        MemorySegment allScales = take(scaleBytes(matrix));
        unpack(matrix, file, allCodes, allScales);
        for (Constant constant : matrix.codes()) {
            ByteBuffer view = allCodes.asByteBuffer().order(ByteOrder.nativeOrder());
            tensors.put(
                    constant.name(),
                    OnnxTensor.createTensor(OnnxEnvironment.get(), view, dims(constant), OnnxJavaType.UINT8));
        }
        for (Constant constant : matrix.scales()) {
            FloatBuffer view =
                    allScales.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
            tensors.put(constant.name(), OnnxTensor.createTensor(OnnxEnvironment.get(), view, dims(constant)));
        }
    }

    private static long[] dims(Constant constant) {
        return constant.dims().stream().mapToLong(Long::longValue).toArray();
    }

    private void unpack(PackedMatrix matrix, FileChannel file, MemorySegment allCodes, MemorySegment allScales)
            throws IOException {
        int panelBytes = Math.toIntExact(Panels.panelBytes(matrix.columns(), matrix.bits()));
        int together = Math.max(1, READ_BYTES / panelBytes);
        int rowBytes = Panels.rowBytes(matrix.columns(), matrix.bits());
        int blocks = Panels.blocks(matrix.columns());
        reserve(together * panelBytes, Panels.ROWS * rowBytes, Panels.ROWS * blocks);
        int parts = matrix.parts().size();
        int partRows = matrix.parts().getFirst();
        int count = Math.ceilDiv(partRows, Panels.ROWS) * parts;
        for (int first = 0; first < count; first += together) {
            int read = Math.min(together, count - first);
            readFully(file, matrix.offset() + (long) first * panelBytes, ByteBuffer.wrap(panels, 0, read * panelBytes));
            for (int i = 0; i < read; i++) {
                int row = (first + i) / parts * Panels.ROWS;
                int part = (first + i) % parts;
                int rows = Math.min(Panels.ROWS, partRows - row);
                Panels.unpack(matrix.bits(), panels, i * panelBytes, codes, scales, 0, rows, matrix.columns());
                long at = (long) part * partRows + row;
                MemorySegment.copy(codes, 0, allCodes, ValueLayout.JAVA_BYTE, at * rowBytes, rows * rowBytes);
                MemorySegment.copy(
                        scales, 0, allScales, ValueLayout.JAVA_FLOAT, at * blocks * Float.BYTES, rows * blocks);
            }
        }
    }

    private void reserve(int panelBytes, int codeBytes, int scaleCount) {
        panels = panels.length < panelBytes ? new byte[panelBytes] : panels;
        codes = codes.length < codeBytes ? new byte[codeBytes] : codes;
        scales = scales.length < scaleCount ? new float[scaleCount] : scales;
    }

    private static void readFully(FileChannel file, long offset, ByteBuffer into) throws IOException {
        long at = offset;
        while (into.hasRemaining()) {
            int read = file.read(into, at);
            if (read < 0) {
                throw new EOFException("the weights end at byte " + at);
            }
            at += read;
        }
    }

    @Override
    public void close() {
        tensors.values().forEach(OnnxTensorLike::close);
        tensors.clear();
        memory.close();
    }
}
