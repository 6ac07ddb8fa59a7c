package dev.meridian.engine.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A row of whole numbers for a graph that takes them as int64 or as int32. Used by one thread. */
final class IntegerInput {
    private final OnnxJavaType type;
    private final ByteBuffer values;

    /** Room for {@code most} numbers; {@code type} is INT64 or INT32. */
    IntegerInput(OnnxJavaType type, int most) {
        if (type != OnnxJavaType.INT64 && type != OnnxJavaType.INT32) {
            throw new IllegalArgumentException(type + " is no type of whole numbers");
        }
        this.type = type;
        values = ByteBuffer.allocateDirect(Math.multiplyExact(most, type.size)).order(ByteOrder.nativeOrder());
    }

    void set(int index, int value) {
        if (type == OnnxJavaType.INT64) {
            values.putLong(index * type.size, value);
        } else {
            values.putInt(index * type.size, value);
        }
    }

    /** {@code [1, count]} over the first numbers, without a copy; to be closed by the caller. */
    OnnxTensor tensor(OrtEnvironment environment, int count) throws OrtException {
        ByteBuffer first = values.slice(0, count * type.size).order(ByteOrder.nativeOrder());
        return OnnxTensor.createTensor(environment, first, new long[] {1, count}, type);
    }
}
