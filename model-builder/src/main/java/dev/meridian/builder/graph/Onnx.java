package dev.meridian.builder.graph;

import java.util.List;
import java.util.Map;

/** The few parts of an ONNX model that a decoder needs, as values; {@link OnnxWriter} turns them into bytes. */
final class Onnx {
    private Onnx() {}

    /** Element types with their numbers in onnx.proto's {@code TensorProto.DataType}. */
    enum DataType {
        FLOAT(1),
        UINT8(2),
        INT32(6),
        INT64(7),
        FLOAT16(10);

        final int number;

        DataType(int number) {
            this.number = number;
        }
    }

    /** A graph; lists keep their order, which is the order of the bytes. */
    record Graph(List<Node> nodes, List<Tensor> initializers, List<Value> inputs, List<Value> outputs) {}

    /**
     * One operator.
     *
     * @param inputs an empty name stands for an input that is left out
     * @param attributes {@code Long} or {@code Float} by name, in order
     */
    record Node(
            String domain,
            String operator,
            List<String> inputs,
            List<String> outputs,
            Map<String, Number> attributes) {}

    /** An input or output; a dimension is a {@code Long} or, where it varies, a name. No dimensions: a scalar. */
    record Value(String name, DataType type, List<Object> dims) {}

    /** A constant of the graph. */
    sealed interface Tensor {
        String name();

        DataType type();

        List<Long> dims();
    }

    /** A small constant inside the model file, int64. */
    record InlineTensor(String name, List<Long> dims, List<Long> values) implements Tensor {
        @Override
        public DataType type() {
            return DataType.INT64;
        }
    }

    /** A constant whose bytes lie in the external data file. Two of them may name the same bytes. */
    record ExternalTensor(String name, DataType type, List<Long> dims, Region region) implements Tensor {}
}
