package dev.meridian.builder.quant;

import java.util.Arrays;

/**
 * Quantises rows of weights in blocks of {@value #BLOCK}, each {@code w = scale * (code - zero)} with {@code zero} 8
 * (int4) or 128 (int8) and a scale of either sign.
 *
 * <p>For each block a grid of scales is tried; each candidate is judged with the scale that is best for its own codes
 * (least squares), the best is rounded once more with that scale, and plain scaling by the largest magnitude stays
 * where nothing beats it. The range is {@code -8..7} or {@code -128..127}, so a scale whose sign sends the block's
 * extreme value to the negative end has one level more. The scale that wins is rounded to float16 before the codes are
 * chosen: one that is too large becomes infinite, which the caller refuses.
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

    private static final int REFINEMENTS = 2;

    /**
     * Where the block's extreme value is sent. Measured on normal weights, as the share of plain scaling's squared
     * error that is left: int4 0.70 (0.69 with five times as many levels), int8 0.77.
     */
    private static final float[] INT4_LEVELS = {-7.0f, -7.3f, -7.6f, -7.8f, -8.0f, -8.2f, -8.4f, -8.7f, -9.0f, -9.4f};

    private static final float[] INT8_LEVELS = {
        -121f, -122f, -123f, -124f, -125f, -126f, -127f, -128f, -129f, 121.5f, 123.5f, 125.5f, 127.5f
    };

    private final Weights weights;
    private final float low;
    private final float high;
    private final float[] levels;
    private final float[][] x = new float[BLOCK][LANES];
    private final float[] extreme = new float[LANES];
    private final float[] magnitude = new float[LANES];
    private final float[] inverse = new float[LANES];
    private final float[] lost = new float[LANES];
    private final float[] crossed = new float[LANES];
    private final float[] squares = new float[LANES];
    private final float[] error = new float[LANES];
    private final float[] fitted = new float[LANES];
    private final float[] fittedError = new float[LANES];
    private final float[] levelScale = new float[LANES];
    private final float[] trialScale = new float[LANES];
    private final float[] bestScale = new float[LANES];
    private final float[] bestError = new float[LANES];
    private final float[] bestFit = new float[LANES];

    public BlockQuantizer(Weights weights) {
        this.weights = weights;
        this.levels = switch (weights) {
            case INT4 -> INT4_LEVELS;
            case INT8 -> INT8_LEVELS;
            case F32, F16 -> throw new IllegalArgumentException(weights.label() + " weights are not quantised");
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
     * @param scales receives {@link #blocks} per row, each of which float16 holds as it is
     */
    public void quantize(float[] values, int rows, int columns, byte[] codes, float[] scales) {
        int blocksPerRow = blocks(columns);
        int total = rows * blocksPerRow;
        for (int first = 0; first < total; first += LANES) {
            int lanes = Math.min(LANES, total - first);
            gather(values, columns, blocksPerRow, first, lanes);
            search(lanes);
            round(bestScale, lanes);
            invert(bestScale, lanes);
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
                x[i][lane] = value;
                if (Math.abs(value) > largest) {
                    largest = Math.abs(value);
                    signed = value;
                }
            }
            for (int i = count; i < BLOCK; i++) {
                x[i][lane] = 0;
            }
            extreme[lane] = signed;
            magnitude[lane] = largest;
        }
    }

    /** Leaves the chosen scale of every lane in {@code bestScale}. */
    private void search(int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            bestScale[lane] = magnitude[lane] < TINY ? 0 : magnitude[lane] / high;
            trialScale[lane] = bestScale[lane];
        }
        judge(bestScale, lanes);
        System.arraycopy(error, 0, bestError, 0, lanes);
        System.arraycopy(error, 0, bestFit, 0, lanes);
        for (float level : levels) {
            tryLevel(level, lanes);
        }
        for (int refinement = 0; refinement < REFINEMENTS; refinement++) {
            judge(trialScale, lanes);
            for (int lane = 0; lane < lanes; lane++) {
                if (error[lane] < bestError[lane]) {
                    bestError[lane] = error[lane];
                    bestScale[lane] = trialScale[lane];
                }
                trialScale[lane] = fitted[lane];
            }
        }
    }

    /**
     * Tries the scale that sends the extreme value to {@code level}, and keeps what fits its codes best for
     * refinement.
     */
    private void tryLevel(float level, int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            levelScale[lane] = extreme[lane] / level;
        }
        judge(levelScale, lanes);
        for (int lane = 0; lane < lanes; lane++) {
            if (fittedError[lane] < bestFit[lane]) {
                bestFit[lane] = fittedError[lane];
                trialScale[lane] = fitted[lane];
            }
        }
    }

    /**
     * Measures the codes that scales give: {@code error} with those scales, {@code fitted} the scale that suits the
     * codes best and {@code fittedError} its error. All follow from what rounding takes away, which is small and so
     * exact: with y = x / scale and e = y - q, the best factor is 1 + sum(e q) / sum(q q).
     */
    private void judge(float[] scales, int lanes) {
        invert(scales, lanes);
        Arrays.fill(lost, 0, lanes, 0);
        Arrays.fill(crossed, 0, lanes, 0);
        Arrays.fill(squares, 0, lanes, 0);
        for (int i = 0; i < BLOCK; i++) {
            accumulate(x[i], lanes);
        }
        for (int lane = 0; lane < lanes; lane++) {
            float scale = scales[lane];
            float correction = squares[lane] > 0 ? crossed[lane] / squares[lane] : 0;
            error[lane] = lost[lane] * scale * scale;
            fitted[lane] = scale * (1 + correction);
            fittedError[lane] = (lost[lane] - crossed[lane] * correction) * scale * scale;
        }
    }

    /** Every array is indexed by the lane alone: only then does the compiler know that vectors are safe. */
    private void accumulate(float[] values, int lanes) {
        float[] inverses = inverse;
        float[] losts = lost;
        float[] crosses = crossed;
        float[] sums = squares;
        float lowest = low;
        float highest = high;
        for (int lane = 0; lane < lanes; lane++) {
            float y = values[lane] * inverses[lane];
            float q = (Math.max(lowest, Math.min(highest, y)) + ROUND) - ROUND;
            float e = y - q;
            losts[lane] += e * e;
            crosses[lane] += e * q;
            sums[lane] += q * q;
        }
    }

    private static void round(float[] scales, int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            scales[lane] = Float.float16ToFloat(Float.floatToFloat16(scales[lane]));
        }
    }

    private void invert(float[] scales, int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            inverse[lane] = magnitude[lane] < TINY || scales[lane] == 0 ? 0 : 1 / scales[lane];
        }
    }

    private void pack(byte[] codes, int first, int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            if (weights == Weights.INT8) {
                int at = (first + lane) * BLOCK;
                for (int i = 0; i < BLOCK; i++) {
                    codes[at + i] = (byte) code(i, lane);
                }
            } else {
                int at = (first + lane) * (BLOCK / 2);
                for (int i = 0; i < BLOCK; i += 2) {
                    codes[at + i / 2] = (byte) (code(i, lane) | code(i + 1, lane) << 4);
                }
            }
        }
    }

    private int code(int i, int lane) {
        float y = x[i][lane] * inverse[lane];
        return (int) ((Math.max(low, Math.min(high, y)) + ROUND) - ROUND - low);
    }
}
