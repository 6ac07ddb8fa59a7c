package dev.meridian.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads the file as the format's description says, and adds up what the model needs. */
class GgufWriterTest {
    private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1};

    @TempDir
    private Path folder;

    private ByteBuffer in = ByteBuffer.allocate(0);

    private String string() {
        byte[] bytes = new byte[(int) in.getLong()];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private Object value(int type) {
        if (type == 8) {
            return string();
        }
        if (type == 9) {
            int element = in.getInt();
            long count = in.getLong();
            for (long i = 0; i < count; i++) {
                value(element);
            }
            return count;
        }
        if (type == 6) {
            return in.getFloat();
        }
        assertThat(SIZES[type]).isEqualTo(4);
        return in.getInt();
    }

    @Test
    void theFileHoldsAllTensorsOfTheShapeWithinItsLength() throws IOException {
        Path file = folder.resolve("model.gguf");
        PeerShape shape = PeerShape.QWEN_0_5B;
        GgufWriter.write(shape, file);
        try (FileChannel channel = FileChannel.open(file)) {
            in = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()).order(ByteOrder.LITTLE_ENDIAN);
        }

        assertThat(in.getInt()).isEqualTo(0x46554747);
        assertThat(in.getInt()).isEqualTo(3);
        long tensors = in.getLong();
        long keys = in.getLong();
        Map<String, Object> metadata = new HashMap<>();
        for (long i = 0; i < keys; i++) {
            metadata.put(string(), value(in.getInt()));
        }
        assertThat(metadata)
                .containsEntry("general.architecture", "qwen2")
                .containsEntry("qwen2.embedding_length", shape.width())
                .containsEntry("tokenizer.ggml.tokens", (long) PeerShape.VOCABULARY)
                .containsEntry("tokenizer.ggml.token_type", (long) PeerShape.VOCABULARY);
        long bytes = 0;
        for (long i = 0; i < tensors; i++) {
            string();
            long elements = 1;
            for (int d = in.getInt(); d > 0; d--) {
                elements *= in.getLong();
            }
            int type = in.getInt();
            assertThat(in.getLong()).isEqualTo(bytes);
            bytes += Math.ceilDiv(type == 0 ? 4 * elements : elements / 32 * 18, 32L) * 32;
        }
        assertThat(tensors).isEqualTo(2 + 12L * shape.layers());
        assertThat(Math.ceilDiv(in.position(), 32) * 32L + bytes).isEqualTo(Files.size(file));
        // 494 million weights and a little, at 4.5 bits.
        assertThat(bytes).isBetween(277_000_000L, 280_000_000L);
    }
}
