package dev.meridian.builder.quant;

import java.util.Arrays;

/**
 * Quantises rows of weights in blocks of {@value #BLOCK}, each {@code w = scale * (code - zero)} with {@code zero} 8 (int4)
 * or 128 (int8) and a scale of either sign.
 *
 * <p>For each block a grid of scales is tried; each candidate is judged with the scale that is best for its own codes
 * (least squares: {@code sum(x q) / sum(q q)}), the best is rounded once more with that scale, and plain scaling by the
 * largest magnitude stays where nothing beats it. The range is {@code -8..7} or {@code -128..127}, so a scale whose sign
 * sends the block's extreme value to the negative end has one level more.
 *
 * <p>Blocks lie side by side in the scratch arrays, so that the inner loops run over blocks and vectorise. An instance
 * belongs to one thread. The result depends on the input alone.
 */
public final class BlockQuantizer {
    public static final int BLOCK = 32;
    /** Blocks quantised together: the scratch arrays stay inside the first-level cache. */
    private static final int LANES = 128;
    /** Adding and subtracting 1.5 * 2^23 rounds a float below 2^22 to the nearest integer, ties to even. */
    private static final float ROUND = 12_582_912f;
    /** Blocks without a value of this size become zeros: their reciprocal scale would overflow. */
    private static final float TINY = 1e-30f;

    private static final float[] INT4_LEVELS = {
        -7.0f, -7.2f, -7.4f, -7.6f, -7.8f, -8.0f, -8.2f, -8.4f, -8.6f, -8.8f, -9.0f, -9.3f, 6.6f, 6.8f, 7.0f, 7.2f,
        7.4f, 7.6f
    };
    private static final float[] INT8_LEVELS = {-127.0f, -127.5f, -128.0f, -128.4f, 126.6f, 127.0f, 127.4f};

    private final Weights weights;
    private final float low;
    private final float high;
    private final float[] levels;
    private final float[] x = new float[BLOCK * LANES];
    private final float[] q = new float[BLOCK * LANES];
    private final float[] extreme = new float[LANES];
    private final float[] magnitude = new float[LANES];
    private final float[] inverse = new float[LANES];
    private final float[] products = new float[LANES];
    private final float[] squares = new float[LANES];
    private final float[] bestScore = new float[LANES];
    private final float[] bestScale = new float[LANES];
    private final float[] trialScale = new float[LANES];
    private final float[] error = new float[LANES];
    private final float[] bestError = new float[LANES];

    public BlockQuantizer(Weights weights) {
        this.weights = weights;
        this.levels = switch (weights) {
            case INT4 -> INT4_LEVELS;
            case INT8 -> INT8_LEVELS;
            case F32 -> throw new IllegalArgumentException("f32 weights are not quantised");
        };
        this.low = weights == Weights.INT4 ? -8 : -128;
        this.high = -low - 1;
    }

    /** Blocks of a row of {@code columns} weights; the last one may be partly padding. */
    public static int blocks(int columns) {
        return Math.ceilDiv(columns, BLOCK);
    }

    /** Bytes that the codes of a row take. */
    public static int rowBytes(Weights weights, int columns) {
        return blocks(columns) * BLOCK * weights.bits() / 8;
    }

    /**
     * Quantises {@code rows} rows of {@code columns} weights.
     *
     * @param codes receives {@link #rowBytes} per row: a byte a code, or two codes a byte with the earlier one low
     * @param scales receives {@link #blocks} per row
     */
    public void quantize(float[] values, int rows, int columns, byte[] codes, float[] scales) {
        int blocksPerRow = blocks(columns);
        int total = rows * blocksPerRow;
        for (int first = 0; first < total; first += LANES) {
            int lanes = Math.min(LANES, total - first);
            gather(values, columns, blocksPerRow, first, lanes);
            search(lanes);
            codes(bestScale, lanes);
            System.arraycopy(bestScale, 0, scales, first, lanes);
            pack(codes, first, lanes);
        }
    }

    private void gather(float[] values, int columns, int blocksPerRow, int first, int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            int block = first + lane;
            int column = block % blocksPerRow * BLOCK;
            int from = block / blocksPerRow * columns + column;
            int count = Math.min(BLOCK, columns - column);
            float signed = 0;
            float largest = 0;
            for (int i = 0; i < count; i++) {
                float value = values[from + i];
                x[i * LANES + lane] = value;
                if (Math.abs(value) > largest) {
                    largest = Math.abs(value);
                    signed = value;
                }
            }
            for (int i = count; i < BLOCK; i++) {
                x[i * LANES + lane] = 0;
            }
            extreme[lane] = signed;
            magnitude[lane] = largest;
        }
    }

    /** Leaves the chosen scale of every lane in {@code bestScale}. */
    private void search(int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            bestScale[lane] = magnitude[lane] < TINY ? 0 : magnitude[lane] / high;
        }
        codes(bestScale, lanes);
        measure(bestScale, lanes);
        System.arraycopy(error, 0, bestError, 0, lanes);
        Arrays.fill(bestScore, 0, lanes, -1);
        for (float level : levels) {
            tryLevel(level, lanes);
        }
        for (int refinement = 0; refinement < 2; refinement++) {
            codes(trialScale, lanes);
            adopt(lanes);
            fit(lanes);
            for (int lane = 0; lane < lanes; lane++) {
                trialScale[lane] = fitted(lane);
            }
        }
        codes(trialScale, lanes);
        adopt(lanes);
    }

    /** Judges the scale that maps the extreme value to {@code level} by what its codes explain: (sum x q)^2 / sum q q. */
    private void tryLevel(float level, int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            inverse[lane] = magnitude[lane] < TINY ? 0 : level / extreme[lane];
        }
        round(lanes);
        fit(lanes);
        for (int lane = 0; lane < lanes; lane++) {
            float score = squares[lane] > 0 ? products[lane] * (products[lane] / squares[lane]) : 0;
            if (score > bestScore[lane]) {
                bestScore[lane] = score;
                trialScale[lane] = fitted(lane);
            }
        }
    }

    private float fitted(int lane) {
        return squares[lane] > 0 ? products[lane] / squares[lane] : 0;
    }

    private void codes(float[] scales, int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            inverse[lane] = Math.abs(scales[lane]) < TINY / 256 ? 0 : 1 / scales[lane];
        }
        round(lanes);
    }

    private void round(int lanes) {
        for (int i = 0; i < BLOCK; i++) {
            int row = i * LANES;
            for (int lane = 0; lane < lanes; lane++) {
                float scaled = x[row + lane] * inverse[lane];
                float clamped = Math.max(low, Math.min(high, scaled));
                q[row + lane] = (clamped + ROUND) - ROUND;
            }
        }
    }

    private void fit(int lanes) {
        Arrays.fill(products, 0, lanes, 0);
        Arrays.fill(squares, 0, lanes, 0);
        for (int i = 0; i < BLOCK; i++) {
            int row = i * LANES;
            for (int lane = 0; lane < lanes; lane++) {
                products[lane] += x[row + lane] * q[row + lane];
                squares[lane] += q[row + lane] * q[row + lane];
            }
        }
    }

    private void measure(float[] scales, int lanes) {
        Arrays.fill(error, 0, lanes, 0);
        for (int i = 0; i < BLOCK; i++) {
            int row = i * LANES;
            for (int lane = 0; lane < lanes; lane++) {
                float difference = x[row + lane] - scales[lane] * q[row + lane];
                error[lane] += difference * difference;
            }
        }
    }

    /** Takes the trial scales over where the codes in {@code q}, made with them, err less. */
    private void adopt(int lanes) {
        measure(trialScale, lanes);
        for (int lane = 0; lane < lanes; lane++) {
            if (error[lane] < bestError[lane]) {
                bestError[lane] = error[lane];
                bestScale[lane] = trialScale[lane];
            }
        }
    }

    private void pack(byte[] codes, int first, int lanes) {
        int zero = (int) -low;
        for (int lane = 0; lane < lanes; lane++) {
            if (weights == Weights.INT8) {
                int at = (first + lane) * BLOCK;
                for (int i = 0; i < BLOCK; i++) {
                    codes[at + i] = (byte) ((int) q[i * LANES + lane] + zero);
                }
            } else {
                int at = (first + lane) * (BLOCK / 2);
                for (int i = 0; i < BLOCK; i += 2) {
                    int even = (int) q[i * LANES + lane] + zero;
                    int odd = (int) q[(i + 1) * LANES + lane] + zero;
                    codes[at + i / 2] = (byte) (even | odd << 4);
                }
            }
        }
    }
}
