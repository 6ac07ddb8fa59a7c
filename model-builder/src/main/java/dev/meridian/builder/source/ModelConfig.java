package dev.meridian.builder.source;

/**
 * The decoder that a config.json describes, with every default of its family filled in.
 *
 * @param contextTokens {@code max_position_embeddings}
 * @param tied config.json says that head and embedding are one tensor
 * @param qkvBias query, key and value projections have biases
 * @param outputBias the attention's output projection has a bias
 * @param mlpBias gate, up and down projections have biases
 * @param qkNorm queries and keys are RMS-normalised per head before the rotation
 */
public record ModelConfig(
        Family family,
        int layers,
        int hiddenSize,
        int intermediateSize,
        int heads,
        int kvHeads,
        int headDim,
        int vocabSize,
        int contextTokens,
        float normEpsilon,
        double ropeTheta,
        RopeScaling ropeScaling,
        boolean tied,
        boolean qkvBias,
        boolean outputBias,
        boolean mlpBias,
        boolean qkNorm) {
    public int queryWidth() {
        return heads * headDim;
    }

    public int kvWidth() {
        return kvHeads * headDim;
    }
}
