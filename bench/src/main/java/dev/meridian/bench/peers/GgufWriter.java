package dev.meridian.bench.peers;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writes a shape with random weights as GGUF, version 3 (ggml's docs/gguf.md): matrices as {@code Q4_0}, a float16 scale
 * and 32 values of 4 bits a block, the tied embedding among them; biases and norms as float32. What Meridian's int4 bundle
 * of the same shape holds, tensor by tensor. The tokenizer is good for loading only.
 */
final class GgufWriter {
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;
    private static final int BLOCK = 32;
    private static final int BLOCK_BYTES = 2 + BLOCK / 2;
    private static final int F32 = 0;
    private static final int Q4_0 = 2;
    private static final int MOSTLY_Q4_0 = 2;
    private static final int TYPE_UINT32 = 4;
    private static final int TYPE_INT32 = 5;
    private static final int TYPE_FLOAT32 = 6;
    private static final int TYPE_STRING = 8;
    private static final int TYPE_ARRAY = 9;
    private static final int NORMAL_TOKEN = 1;
    private static final int CONTROL_TOKEN = 3;
    /** Mean size of a random 4-bit value times this is near the size of a trained weight. */
    private static final float SCALE = 0.005f;

    private static final float BIAS = 0.02f;

    private final PeerShape shape;
    private final LittleEndian head = new LittleEndian();
    private final List<Tensor> tensors = new ArrayList<>();
    private int keys;

    private GgufWriter(PeerShape shape) {
        this.shape = shape;
    }

    /** Columns come first in GGUF; a vector has one row. */
    private record Tensor(String name, int columns, int rows, int type, float value) {
        long bytes() {
            return type == F32 ? 4L * columns : (long) columns * rows / BLOCK * BLOCK_BYTES;
        }
    }

    /** The same bytes each time. */
    static void write(PeerShape shape, Path file) throws IOException {
        GgufWriter writer = new GgufWriter(shape);
        writer.metadata();
        writer.tensors();
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            writer.writeTo(out);
        }
    }

    private void metadata() {
        text("general.architecture", "qwen2");
        text("general.name", shape.label() + " with random weights");
        number("general.file_type", MOSTLY_Q4_0);
        number("general.quantization_version", 2);
        number("qwen2.block_count", shape.layers());
        number("qwen2.context_length", PeerShape.CONTEXT);
        number("qwen2.embedding_length", shape.width());
        number("qwen2.feed_forward_length", shape.feedForward());
        number("qwen2.attention.head_count", shape.heads());
        number("qwen2.attention.head_count_kv", PeerShape.KV_HEADS);
        real("qwen2.rope.freq_base", PeerShape.ROPE_BASE);
        real("qwen2.attention.layer_norm_rms_epsilon", PeerShape.NORM_EPSILON);
        text("tokenizer.ggml.model", "gpt2");
        text("tokenizer.ggml.pre", "qwen2");
        texts("tokenizer.ggml.tokens", vocabulary());
        int[] kinds = new int[PeerShape.VOCABULARY];
        Arrays.fill(kinds, NORMAL_TOKEN);
        kinds[PeerShape.VOCABULARY - 1] = CONTROL_TOKEN;
        numbers("tokenizer.ggml.token_type", kinds);
        texts("tokenizer.ggml.merges", List.of("a b"));
        number("tokenizer.ggml.eos_token_id", PeerShape.VOCABULARY - 1);
        number("tokenizer.ggml.padding_token_id", PeerShape.VOCABULARY - 1);
    }

    /** The bytes as byte-level BPE spells them, then words that no text has. */
    private static List<String> vocabulary() {
        List<String> words = new ArrayList<>();
        int unprintable = 0;
        for (int b = 0; b < 256; b++) {
            boolean printable = (b > 32 && b < 127) || (b > 160 && b != 173);
            words.add(String.valueOf((char) (printable ? b : 256 + unprintable++)));
        }
        for (int i = words.size(); i < PeerShape.VOCABULARY - 1; i++) {
            words.add("t" + i + "x");
        }
        words.add("<|endoftext|>");
        return words;
    }

    private void tensors() {
        matrix("token_embd", PeerShape.VOCABULARY, shape.width());
        vector("output_norm.weight", shape.width(), 1);
        for (int layer = 0; layer < shape.layers(); layer++) {
            String at = "blk." + layer + ".";
            vector(at + "attn_norm.weight", shape.width(), 1);
            vector(at + "ffn_norm.weight", shape.width(), 1);
            matrix(at + "attn_q", shape.width(), shape.width());
            matrix(at + "attn_k", shape.kvWidth(), shape.width());
            matrix(at + "attn_v", shape.kvWidth(), shape.width());
            vector(at + "attn_q.bias", shape.width(), BIAS);
            vector(at + "attn_k.bias", shape.kvWidth(), BIAS);
            vector(at + "attn_v.bias", shape.kvWidth(), BIAS);
            matrix(at + "attn_output", shape.width(), shape.width());
            matrix(at + "ffn_gate", shape.feedForward(), shape.width());
            matrix(at + "ffn_up", shape.feedForward(), shape.width());
            matrix(at + "ffn_down", shape.width(), shape.feedForward());
        }
    }

    private void matrix(String name, int rows, int columns) {
        tensors.add(new Tensor(name + ".weight", columns, rows, Q4_0, SCALE));
    }

    private void vector(String name, int length, float value) {
        tensors.add(new Tensor(name, length, 1, F32, value));
    }

    private void writeTo(OutputStream out) throws IOException {
        LittleEndian start = new LittleEndian();
        start.bytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        start.integer(VERSION);
        start.integer64(tensors.size());
        start.integer64(keys);
        start.bytes(head.toByteArray());
        long offset = 0;
        for (Tensor tensor : tensors) {
            boolean isVector = tensor.type == F32;
            start.string(tensor.name);
            start.integer(isVector ? 1 : 2);
            start.integer64(tensor.columns);
            if (!isVector) {
                start.integer64(tensor.rows);
            }
            start.integer(tensor.type);
            start.integer64(offset);
            offset += aligned(tensor.bytes());
        }
        byte[] bytes = start.toByteArray();
        out.write(bytes);
        pad(out, bytes.length);
        SplittableRandom random = new SplittableRandom(1);
        for (Tensor tensor : tensors) {
            if (tensor.type == F32) {
                writeVector(out, tensor);
            } else {
                writeMatrix(out, tensor, random);
            }
            pad(out, tensor.bytes());
        }
    }

    private static void writeVector(OutputStream out, Tensor tensor) throws IOException {
        LittleEndian values = new LittleEndian();
        for (int i = 0; i < tensor.columns; i++) {
            values.real(tensor.value);
        }
        out.write(values.toByteArray());
    }

    private static void writeMatrix(OutputStream out, Tensor tensor, SplittableRandom random) throws IOException {
        byte[] bytes = new byte[tensor.columns / BLOCK * BLOCK_BYTES];
        ByteBuffer row = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        short scale = Float.floatToFloat16(tensor.value);
        for (int i = 0; i < tensor.rows; i++) {
            row.clear();
            while (row.hasRemaining()) {
                row.putShort(scale).putLong(random.nextLong()).putLong(random.nextLong());
            }
            out.write(bytes);
        }
    }

    private static long aligned(long bytes) {
        return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    }

    private static void pad(OutputStream out, long bytes) throws IOException {
        out.write(new byte[(int) (aligned(bytes) - bytes)]);
    }

    private void key(String name, int type) {
        head.string(name);
        head.integer(type);
        keys++;
    }

    private void text(String name, String value) {
        key(name, TYPE_STRING);
        head.string(value);
    }

    private void number(String name, int value) {
        key(name, TYPE_UINT32);
        head.integer(value);
    }

    private void real(String name, float value) {
        key(name, TYPE_FLOAT32);
        head.real(value);
    }

    private void texts(String name, List<String> values) {
        array(name, TYPE_STRING, values.size());
        values.forEach(head::string);
    }

    private void numbers(String name, int[] values) {
        array(name, TYPE_INT32, values.length);
        Arrays.stream(values).forEach(head::integer);
    }

    private void array(String name, int type, int count) {
        key(name, TYPE_ARRAY);
        head.integer(type);
        head.integer64(count);
    }

    /** Bytes in GGUF's order. */
    private static final class LittleEndian {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        void integer(int value) {
            for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
                out.write(value >>> shift);
            }
        }

        void integer64(long value) {
            integer((int) value);
            integer((int) (value >>> Integer.SIZE));
        }

        void real(float value) {
            integer(Float.floatToRawIntBits(value));
        }

        void string(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            integer64(utf8.length);
            bytes(utf8);
        }

        void bytes(byte[] bytes) {
            out.writeBytes(bytes);
        }

        byte[] toByteArray() {
            return out.toByteArray();
        }
    }
}
