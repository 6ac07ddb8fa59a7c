package dev.meridian.builder.quant;

/** How a bundle stores its matrices: embeddings, projections and head. Norms and biases are float32 always. */
public enum Weights {
    F32("f32", 32),
    INT8("int8", 8),
    INT4("int4", 4);

    private final String label;
    private final int bits;

    Weights(String label, int bits) {
        this.label = label;
        this.bits = bits;
    }

    /** The name used on the command line and in bundle.json. */
    public String label() {
        return label;
    }

    /** Bits of one weight, scales not counted. */
    public int bits() {
        return bits;
    }
}
