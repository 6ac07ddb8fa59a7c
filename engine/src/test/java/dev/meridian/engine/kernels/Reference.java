package dev.meridian.engine.kernels;

import org.jspecify.annotations.Nullable;

/** What the kernels must compute, written down plainly. */
final class Reference {
    private static final float SMALLEST = 1e-30f;

    private Reference() {}

    /**
     * Rows of X in blocks of 32.
     *
     * @param codes [rows, blocks * 32]
     * @param scales [rows, blocks]
     * @param sums of a block's codes, [rows, blocks]
     */
    @SuppressWarnings("ArrayRecordComponent") // not copied
    record Quantized(byte[] codes, float[] scales, int[] sums) {}

    static Quantized quantize(float[] x, int k) {
        int rows = x.length / k;
        int blocks = Panels.blocks(k);
        Quantized q = new Quantized(new byte[rows * blocks * 32], new float[rows * blocks], new int[rows * blocks]);
        for (int at = 0; at < rows * blocks; at++) {
            int row = at / blocks;
            int from = at % blocks * 32;
            int columns = Math.min(32, k - from);
            float most = 0;
            boolean finite = true;
            for (int c = 0; c < columns; c++) {
                float value = x[row * k + from + c];
                finite &= Float.isFinite(value);
                most = Math.max(most, Math.abs(value));
            }
            if (!finite) {
                q.scales[at] = Float.NaN;
            } else if (most >= SMALLEST) {
                q.scales[at] = most / 127;
                for (int c = 0; c < columns; c++) {
                    int code = (int) Math.rint(x[row * k + from + c] * (127 / most));
                    q.codes[at * 32 + c] = (byte) code;
                    q.sums[at] += code;
                }
            }
        }
        return q;
    }

    /** Products in double precision, and what float's roundings may differ from them by. */
    @SuppressWarnings("ArrayRecordComponent") // not copied
    record Products(double[] values, double[] bounds) {}

    static Products gemm(Panels w, float[] x, float @Nullable [] bias) {
        int rows = x.length / w.k();
        int blocks = w.blocks();
        Quantized q = quantize(x, w.k());
        Products products = new Products(new double[rows * w.n()], new double[rows * w.n()]);
        for (int row = 0; row < rows; row++) {
            for (int n = 0; n < w.n(); n++) {
                double sum = bias == null ? 0 : bias[n];
                double magnitude = Math.abs(sum);
                for (int b = 0; b < blocks; b++) {
                    int dot = 0;
                    for (int c = 0; c < 32; c++) {
                        dot += q.codes[(row * blocks + b) * 32 + c] * w.signedCode(n, 32 * b + c);
                    }
                    double term = dot * ((double) w.scale(n, b) * q.scales[row * blocks + b]);
                    sum += term;
                    magnitude += Math.abs(term);
                }
                products.values[row * w.n() + n] = sum;
                // Two roundings a block, of what is at most the magnitude; subnormal results lose up to one unit each.
                products.bounds[row * w.n() + n] = (blocks + 1) * (magnitude * 0x1p-23 + 0x1p-126);
            }
        }
        return products;
    }

    static double silu(double gate) {
        return gate / (1 + Math.exp(-gate));
    }
}
