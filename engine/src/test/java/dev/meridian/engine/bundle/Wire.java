package dev.meridian.engine.bundle;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Writes protobuf fields one by one, right and wrong ones. */
final class Wire {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    static Wire message(Consumer<Wire> fields) {
        Wire wire = new Wire();
        fields.accept(wire);
        return wire;
    }

    /** A model whose graph has these fields. */
    static Wire model(Consumer<Wire> graph) {
        return message(model -> model.inner(7, graph));
    }

    Wire number(int field, long value) {
        varint((long) field << 3);
        varint(value);
        return this;
    }

    Wire text(int field, String text) {
        return bytes(field, text.getBytes(StandardCharsets.UTF_8));
    }

    Wire bytes(int field, byte[] bytes) {
        varint(((long) field << 3) | 2);
        varint(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    Wire inner(int field, Consumer<Wire> fields) {
        return bytes(field, message(fields).out.toByteArray());
    }

    Wire raw(int... bytes) {
        for (int b : bytes) {
            out.write(b);
        }
        return this;
    }

    private void varint(long value) {
        long left = value;
        while ((left & ~0x7fL) != 0) {
            out.write((int) (left & 0x7f) | 0x80);
            left >>>= 7;
        }
        out.write((int) left);
    }

    OnnxFile parse() {
        return OnnxFile.of("test.onnx", ByteBuffer.wrap(out.toByteArray()));
    }
}
