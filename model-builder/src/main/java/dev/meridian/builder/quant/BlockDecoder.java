package dev.meridian.builder.quant;

/** What the codes of {@link BlockQuantizer} stand for: {@code scale * (code - zero)} with zero 8 (int4) or 128 (int8). */
public final class BlockDecoder {
    private BlockDecoder() {}

    /**
     * Decodes {@code rows} rows of {@code columns} weights.
     *
     * @param codes as {@link BlockQuantizer#quantize} writes them
     * @param scales the same
     * @param into receives the weights, row-major
     */
    public static void decode(Weights weights, byte[] codes, float[] scales, int rows, int columns, float[] into) {
        int blocks = BlockQuantizer.blocks(columns);
        boolean bytes = weights == Weights.INT8;
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int block = row * blocks + column / BlockQuantizer.BLOCK;
                int at = block * BlockQuantizer.BLOCK + column % BlockQuantizer.BLOCK;
                int distance = bytes ? (codes[at] & 0xff) - 128 : (codes[at / 2] >> (at % 2 * 4) & 0xf) - 8;
                into[row * columns + column] = scales[block] * distance;
            }
        }
    }
}
