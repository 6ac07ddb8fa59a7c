package dev.meridian.engine.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Where a graph writes the logits of a whole pass, {@code [1, rows, vocabulary]} as float32 or float16. Committed page by
 * page as longer passes run. Used by one thread.
 */
final class LogitsBuffer implements AutoCloseable {
    private final OnnxJavaType type;
    private final int vocabSize;
    private final LazyMemory memory;

    LogitsBuffer(OnnxJavaType type, int vocabSize, int mostRows) {
        this.type = type;
        this.vocabSize = vocabSize;
        memory = LazyMemory.map((long) mostRows * vocabSize * type.size);
    }

    /** The most rows that one buffer of 2 GiB holds, at least one. */
    static int rowsThatFit(OnnxJavaType type, int vocabSize) {
        return Math.max(1, (int) (Integer.MAX_VALUE / ((long) vocabSize * type.size)));
    }

    /** A tensor over the first rows; to be closed by the caller. */
    OnnxTensor tensor(OrtEnvironment environment, int rows) throws OrtException {
        MemorySegment part = memory.segment().asSlice(0, (long) rows * vocabSize * type.size);
        return OnnxTensor.createTensor(
                environment, part.asByteBuffer().order(ByteOrder.nativeOrder()), new long[] {1, rows, vocabSize}, type);
    }

    /** Copies one row into {@code into[at..at+vocabulary)} as float32. */
    void copyRow(int row, float[] into, int at) {
        long start = (long) row * vocabSize * type.size;
        MemorySegment all = memory.segment();
        if (type == OnnxJavaType.FLOAT) {
            MemorySegment.copy(all, ValueLayout.JAVA_FLOAT, start, into, at, vocabSize);
            return;
        }
        for (int i = 0; i < vocabSize; i++) {
            into[at + i] = Float.float16ToFloat(all.get(ValueLayout.JAVA_SHORT, start + 2L * i));
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
