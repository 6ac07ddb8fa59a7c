package dev.meridian.engine.kernels;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

/** ONNX models of one node of Meridian's domain, in protobuf by hand (field numbers are those of onnx.proto). */
final class TinyModel {
    private static final int FLOAT = 1;
    private static final int UINT8 = 2;
    private static final int INT64 = 7;
    private static final int INTEGER_ATTRIBUTE = 2;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private TinyModel() {}

    /** The weights' bytes, and a bias of n floats where there is one, are initializers; the input's name is x. */
    @SuppressWarnings("ArrayRecordComponent") // not copied
    record Node(String op, int n, int k, int bits, byte[] weights, float[] bias, boolean constant) {
        Node(String op, Panels w, byte[] weights) {
            this(op, w.n(), w.k(), w.bits(), weights, new float[0], true);
        }

        Node withBias(float[] given) {
            return new Node(op, n, k, bits, weights, given, constant);
        }

        Node withInputWeights() {
            return new Node(op, n, k, bits, weights, bias, false);
        }

        byte[] model() {
            return message(model -> model.number(1, 8)
                            .inner(8, opset -> opset.text(1, "").number(2, 17))
                            .inner(8, opset -> opset.text(1, "dev.meridian").number(2, 1))
                            .inner(7, this::graph))
                    .toByteArray();
        }

        private void graph(TinyModel graph) {
            boolean embed = op.equals("BlockEmbed");
            graph.text(2, "test");
            graph.inner(1, node -> {
                node.text(1, "x").text(1, "w");
                if (bias.length > 0) {
                    node.text(1, "b");
                }
                node.text(2, "y").text(4, op).text(7, "dev.meridian");
                node.attribute("N", n).attribute("K", k).attribute("bits", bits);
            });
            if (constant) {
                graph.inner(
                        5,
                        tensor -> tensor.number(1, weights.length)
                                .number(2, UINT8)
                                .text(8, "w")
                                .bytes(9, weights));
            } else {
                graph.inner(11, value -> value.value("w", UINT8, List.of("bytes")));
            }
            if (bias.length > 0) {
                ByteBuffer raw = ByteBuffer.allocate(4 * bias.length).order(ByteOrder.LITTLE_ENDIAN);
                raw.asFloatBuffer().put(bias);
                graph.inner(
                        5,
                        tensor -> tensor.number(1, bias.length)
                                .number(2, FLOAT)
                                .text(8, "b")
                                .bytes(9, raw.array()));
            }
            graph.inner(
                    11,
                    value -> value.value(
                            "x", embed ? INT64 : FLOAT, embed ? List.of("a", "c") : List.of("a", "c", "k")));
            graph.inner(12, value -> value.value("y", FLOAT, List.of("a", "c", "n")));
        }
    }

    TinyModel attribute(String name, long value) {
        return inner(5, attribute -> attribute.text(1, name).number(3, value).number(20, INTEGER_ATTRIBUTE));
    }

    void value(String name, int type, List<String> dimensions) {
        text(1, name);
        inner(
                2,
                of -> of.inner(
                        1,
                        tensor -> tensor.number(1, type)
                                .inner(
                                        2,
                                        shape -> dimensions.forEach(
                                                d -> shape.inner(1, dimension -> dimension.text(2, d))))));
    }

    static ByteArrayOutputStream message(Consumer<TinyModel> fields) {
        TinyModel message = new TinyModel();
        fields.accept(message);
        return message.out;
    }

    TinyModel number(int field, long value) {
        varint((long) field << 3);
        varint(value);
        return this;
    }

    TinyModel text(int field, String text) {
        return bytes(field, text.getBytes(StandardCharsets.UTF_8));
    }

    TinyModel bytes(int field, byte[] bytes) {
        varint(((long) field << 3) | 2);
        varint(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    TinyModel inner(int field, Consumer<TinyModel> fields) {
        return bytes(field, message(fields).toByteArray());
    }

    private void varint(long value) {
        long left = value;
        while ((left & ~0x7fL) != 0) {
            out.write((int) (left & 0x7f) | 0x80);
            left >>>= 7;
        }
        out.write((int) left);
    }
}
