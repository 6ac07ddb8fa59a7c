package dev.meridian.bench.peers;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The dimensions of a public model, without its weights: its {@code config.json} is a resource. */
public enum PeerShape {
    QWEN_0_5B("qwen2.5-0.5b", 896, 24, 14, 4_864),
    QWEN_1_5B("qwen2.5-1.5b", 1_536, 28, 12, 8_960);

    static final int KV_HEADS = 2;
    static final int VOCABULARY = 151_936;
    static final int CONTEXT = 32_768;
    static final float ROPE_BASE = 1e6f;
    static final float NORM_EPSILON = 1e-6f;

    private final String label;
    private final int width;
    private final int layers;
    private final int heads;
    private final int feedForward;

    PeerShape(String label, int width, int layers, int heads, int feedForward) {
        this.label = label;
        this.width = width;
        this.layers = layers;
        this.heads = heads;
        this.feedForward = feedForward;
    }

    /** Throws IllegalArgumentException for a shape that there is not. */
    public static PeerShape named(String label) {
        return Arrays.stream(values())
                .filter(shape -> shape.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "--shape " + label + ": expected one of " + String.join(", ", labels())));
    }

    public static List<String> labels() {
        return Arrays.stream(values()).map(PeerShape::label).collect(Collectors.toList());
    }

    public String label() {
        return label;
    }

    /** Values of a token's vector. */
    int width() {
        return width;
    }

    int layers() {
        return layers;
    }

    int heads() {
        return heads;
    }

    int headWidth() {
        return width / heads;
    }

    int kvWidth() {
        return KV_HEADS * headWidth();
    }

    int feedForward() {
        return feedForward;
    }

    /** Of a cache of float16, in bytes. */
    long kvBytesPerToken() {
        return 2L * layers * kvWidth() * Short.BYTES;
    }

    /** Writes the {@code config.json} of the shape. */
    public void writeConfig(Path file) {
        try (InputStream in = PeerShape.class.getResourceAsStream(label + ".json")) {
            Files.write(file, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
