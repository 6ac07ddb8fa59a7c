package dev.meridian.engine;

/**
 * The exponential function for softmax: a loop of plain float arithmetic that the JIT turns into vector instructions, and
 * that gives the same bits on every CPU, where {@link Math#exp} may differ by one unit in the last place and with it a draw.
 * Cody and Waite's range reduction with the polynomial of Cephes' expf (Moshier 1989); relative error below 3e-7.
 */
final class FastExp {
    private static final float LOG2_E = 1.442695f;
    private static final float LN2_HIGH = 0.6933594f;
    private static final float LN2_LOW = -2.12194440e-4f;
    /** Adding it leaves the nearest integer in the low bits of the significand. */
    private static final float ROUNDER = 0x1.8p23f;

    private static final int ROUNDER_BITS = Float.floatToRawIntBits(ROUNDER);
    /** Below it the result is 0: e^-87 is close to the least normal float. */
    private static final float LEAST = -87f;

    private FastExp() {}

    /** {@code to[i] = exp((from[i] - shift) * scale)}; the argument must not exceed 0, and below -87 the result is 0. */
    static void apply(float[] from, float shift, float scale, float[] to) {
        for (int i = 0; i < from.length; i++) {
            float x = (from[i] - shift) * scale;
            float bounded = Math.max(x, LEAST);
            float shifted = bounded * LOG2_E + ROUNDER;
            float n = shifted - ROUNDER;
            float r = bounded - n * LN2_HIGH - n * LN2_LOW;
            float p = 1.9875691e-4f;
            p = p * r + 1.3981999e-3f;
            p = p * r + 8.333452e-3f;
            p = p * r + 4.1665796e-2f;
            p = p * r + 1.6666666e-1f;
            p = p * r + 0.5f;
            float fraction = p * r * r + r + 1f;
            int exponent = Float.floatToRawIntBits(shifted) - ROUNDER_BITS + 127;
            float value = fraction * Float.intBitsToFloat(exponent << 23);
            to[i] = x < LEAST ? 0f : value;
        }
    }
}
