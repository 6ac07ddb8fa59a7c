package dev.meridian.builder;

/** Element type of the KV cache that a bundle's graph reads and writes. */
public enum KvType {
    F32("f32");

    private final String label;

    KvType(String label) {
        this.label = label;
    }

    /** The name used on the command line and in bundle.json. */
    public String label() {
        return label;
    }
}
