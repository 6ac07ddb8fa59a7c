package dev.meridian.builder.graph;

/**
 * Which checkpoint tensors the embedding and the head are, without {@code .weight}. Where they are one tensor, the
 * bundle holds it once.
 */
public record TokenTables(String embedding, String head) {
    private static final String EMBEDDING = "model.embed_tokens";
    private static final String HEAD = "lm_head";

    /** Two tensors, as the families name them. */
    public static TokenTables separate() {
        return new TokenTables(EMBEDDING, HEAD);
    }

    /** One tensor, which most files carry as the embedding and some as the head. */
    public static TokenTables tied(boolean asHead) {
        return asHead ? new TokenTables(HEAD, HEAD) : new TokenTables(EMBEDDING, EMBEDDING);
    }

    public boolean tied() {
        return embedding.equals(head);
    }
}
