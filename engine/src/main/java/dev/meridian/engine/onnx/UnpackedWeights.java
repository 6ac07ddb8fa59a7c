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
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

    private final Arena arena = Arena.ofShared();
    private final Map<String, OnnxTensorLike> tensors = new HashMap<>();

    private UnpackedWeights() {}

    /** Reads and unpacks all of them. Throws BundleException where the file ends early or memory is short. */
    public static UnpackedWeights of(CheckedBundle checked) {
        UnpackedWeights weights = new UnpackedWeights();
        try (FileChannel file = FileChannel.open(
                checked.bundle().file(BundleManifest.WEIGHTS_FILE),
                StandardOpenOption.READ,
                LinkOption.NOFOLLOW_LINKS)) {
            for (PackedMatrix matrix : checked.packed()) {
                weights.add(matrix, file);
            }
            return weights;
        } catch (IOException | OrtException | OutOfMemoryError e) {
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

    private void add(PackedMatrix matrix, FileChannel file) throws IOException, OrtException {
        long codeBytes = (long) matrix.rows() * Panels.rowBytes(matrix.columns(), matrix.bits());
        long scaleBytes = (long) matrix.rows() * Panels.blocks(matrix.columns()) * Float.BYTES;
        if (Math.max(codeBytes, scaleBytes) > Integer.MAX_VALUE) {
            throw new BundleException("a matrix of " + matrix.rows() + " rows and " + matrix.columns()
                    + " columns passes 2 GiB unpacked; it needs Meridian's kernels");
        }
        MemorySegment codes = arena.allocate(codeBytes, LINE);
        MemorySegment scales = arena.allocate(scaleBytes, LINE);
        unpack(matrix, file, codes, scales);
        for (Constant constant : matrix.codes()) {
            tensors.put(
                    constant.name(),
                    OnnxTensor.createTensor(
                            OnnxEnvironment.get(),
                            codes.asByteBuffer().order(ByteOrder.nativeOrder()),
                            dims(constant),
                            OnnxJavaType.UINT8));
        }
        for (Constant constant : matrix.scales()) {
            tensors.put(
                    constant.name(),
                    OnnxTensor.createTensor(
                            OnnxEnvironment.get(),
                            scales.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(),
                            dims(constant)));
        }
    }

    private static long[] dims(Constant constant) {
        return constant.dims().stream().mapToLong(Long::longValue).toArray();
    }

    private static void unpack(PackedMatrix matrix, FileChannel file, MemorySegment codes, MemorySegment scales)
            throws IOException {
        int panelBytes = Math.toIntExact(Panels.panelBytes(matrix.columns(), matrix.bits()));
        int together = Math.max(1, READ_BYTES / panelBytes);
        byte[] bytes = new byte[Math.multiplyExact(panelBytes, together)];
        MemorySegment panels = MemorySegment.ofArray(bytes);
        int parts = matrix.parts().size();
        int partRows = matrix.parts().getFirst();
        int count = Math.ceilDiv(partRows, Panels.ROWS) * parts;
        for (int first = 0; first < count; first += together) {
            int read = Math.min(together, count - first);
            readFully(file, matrix.offset() + (long) first * panelBytes, ByteBuffer.wrap(bytes, 0, read * panelBytes));
            for (int i = 0; i < read; i++) {
                int row = (first + i) / parts * Panels.ROWS;
                int part = (first + i) % parts;
                int rows = Math.min(Panels.ROWS, partRows - row);
                Panels.unpack(
                        matrix.bits(),
                        panels,
                        (long) i * panelBytes,
                        codes,
                        scales,
                        (long) part * partRows + row,
                        rows,
                        matrix.columns());
            }
        }
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
        arena.close();
    }
}
