package dev.meridian.builder.quant;

import java.util.Arrays;

/** How a bundle stores its matrices: embeddings, projections and head. Norms and biases are float32 always. */
public enum Weights {
    F32("f32", 32),
    /** Float16 in the file, float32 in every product. */
    F16("f16", 16),
    INT8("int8", 8),
    INT4("int4", 4);

    private final String label;
    private final int bits;

    Weights(String label, int bits) {
        this.label = label;
        this.bits = bits;
    }

    /** By the name in bundle.json. Throws IllegalArgumentException where there is no such. */
    public static Weights labelled(String label) {
        return Arrays.stream(values())
                .filter(weights -> weights.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no weights are called '" + label + "'"));
    }

    /** The name used on the command line and in bundle.json. */
    public String label() {
        return label;
    }

    /** Bits of one weight, scales not counted. */
    public int bits() {
        return bits;
    }

    /** Whether weights lie in blocks of codes with a scale each. */
    public boolean isQuantised() {
        return this == INT8 || this == INT4;
    }
}
