package dev.meridian.builder.quant;

/** What codes and scales stand for, by MatMulNBits' definition: {@code scale * (code - zero)}, for tests. */
public final class Dequantizer {
    private Dequantizer() {}

    /** Quantises rows and returns the values that the codes stand for. */
    public static double[] roundTrip(Weights weights, double[] values, int columns) {
        int rows = values.length / columns;
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        byte[] codes = new byte[rows * BlockQuantizer.rowBytes(weights, columns)];
        float[] scales = new float[rows * BlockQuantizer.blocks(columns)];
        new BlockQuantizer(weights).quantize(floats, rows, columns, codes, scales);
        return values(weights, codes, scales, rows, columns);
    }

    static double[] values(Weights weights, byte[] codes, float[] scales, int rows, int columns) {
        double[] values = new double[rows * columns];
        int blocks = Math.ceilDiv(columns, 32);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int index = row * blocks * 32 + column;
                int code = weights == Weights.INT8 ? codes[index] & 0xff : (codes[index / 2] >> (index % 2 * 4)) & 0xf;
                int zero = weights == Weights.INT8 ? 128 : 8;
                values[row * columns + column] = (double) scales[row * blocks + column / 32] * (code - zero);
            }
        }
        return values;
    }
}
