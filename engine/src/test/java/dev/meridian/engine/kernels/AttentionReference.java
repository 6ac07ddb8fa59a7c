package dev.meridian.engine.kernels;

import dev.meridian.engine.kernels.AttentionCase.Rows;

/** Attention, operation by operation, as plainly as it can be said. Bits must be equal, NaN payloads aside. */
@SuppressWarnings("FloatingPointLiteralPrecision") // as tile.h has them
final class AttentionReference {
    private static final int CHUNK = 256;
    private static final float LOWEST = -87f;
    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693145752f;
    private static final float LN2_LOW = 1.42860677e-6f;

    private AttentionReference() {}

    /** Writes the rows' keys and values to the cache, then gives [rows, heads * dim]. */
    static float[] attend(AttentionCase c, Rows rows) {
        for (int row = 0; row < rows.count(); row++) {
            write(c, rows, row);
        }
        float[] out = new float[rows.count() * c.heads() * c.dim()];
        for (int row = 0; row < rows.count(); row++) {
            for (int head = 0; head < c.heads(); head++) {
                System.arraycopy(attend(c, rows, row, head), 0, out, (row * c.heads() + head) * c.dim(), c.dim());
            }
        }
        return out;
    }

    private static float[] rotated(AttentionCase c, Rows rows, int row, int head) {
        int half = c.dim() / 2;
        int from = row * c.width() + head * c.dim();
        float[] y = new float[c.dim()];
        for (int i = 0; i < half; i++) {
            float cos = c.cos()[rows.positions()[row] * half + i];
            float sin = c.sin()[rows.positions()[row] * half + i];
            float left = rows.packed()[from + i];
            float right = rows.packed()[from + half + i];
            y[i] = left * cos - right * sin;
            y[half + i] = right * cos + left * sin;
        }
        return y;
    }

    static short half(float x) {
        if (Float.isNaN(x)) {
            return 0x7e00;
        }
        return Float.floatToFloat16(Float.isInfinite(x) ? x : Math.clamp(x, -65504f, 65504f));
    }

    private static void write(AttentionCase c, Rows rows, int row) {
        int slot = rows.slots()[row];
        int position = rows.positions()[row];
        for (int head = 0; head < c.kvHeads(); head++) {
            float[] key = rotated(c, rows, row, c.heads() + head);
            int value = row * c.width() + (c.heads() + c.kvHeads() + head) * c.dim();
            for (int d = 0; d < c.dim(); d++) {
                c.keys()[c.keyAt(slot, head, position, d)] = half(key[d]);
                c.values()[c.valueAt(slot, head, position, d)] = half(rows.packed()[value + d]);
            }
        }
    }

    private static float[] attend(AttentionCase c, Rows rows, int row, int head) {
        int slot = rows.slots()[row];
        int position = rows.positions()[row];
        int kvHead = head / (c.heads() / c.kvHeads());
        float scale = (float) (1 / Math.sqrt(c.dim()));
        float[] query = rotated(c, rows, row, head);
        for (int d = 0; d < c.dim(); d++) {
            query[d] *= scale;
        }
        float greatest = 0;
        float sum = 0;
        float[] all = new float[c.dim()];
        for (int first = 0; first <= position; first += CHUNK) {
            int last = Math.min(first + CHUNK - 1, position);
            float[] weights = new float[last - first + 1];
            float most = Float.NEGATIVE_INFINITY;
            for (int j = first; j <= last; j++) {
                float score = 0;
                for (int d = 0; d < c.dim(); d++) {
                    score = Math.fma(query[d], Float.float16ToFloat(c.keys()[c.keyAt(slot, kvHead, j, d)]), score);
                }
                weights[j - first] = score;
                most = score > most ? score : most;
            }
            float[] lanes = new float[16];
            float[] one = new float[c.dim()];
            for (int j = first; j <= last; j++) {
                float weight = exponential(weights[j - first] - most);
                lanes[j % 16] += weight;
                for (int d = 0; d < c.dim(); d++) {
                    one[d] = Math.fma(weight, Float.float16ToFloat(c.values()[c.valueAt(slot, kvHead, j, d)]), one[d]);
                }
            }
            for (int distance = 8; distance > 0; distance /= 2) {
                for (int lane = 0; lane < distance; lane++) {
                    lanes[lane] += lanes[lane + distance];
                }
            }
            if (first == 0) {
                greatest = most;
                sum = lanes[0];
                all = one;
            } else {
                float both = most > greatest ? most : greatest;
                float old = exponential(greatest - both);
                float young = exponential(most - both);
                greatest = both;
                sum = Math.fma(lanes[0], young, sum * old);
                for (int d = 0; d < c.dim(); d++) {
                    all[d] = Math.fma(one[d], young, all[d] * old);
                }
            }
        }
        for (int d = 0; d < c.dim(); d++) {
            all[d] /= sum;
        }
        return all;
    }

    /** exp(x) for x at most 0; Java's own minimum, maximum and powers of two keep NaN. */
    static float exponential(float x) {
        float clamped = Math.max(x, LOWEST);
        float n = (float) Math.rint(clamped * LOG2_E);
        float r = Math.fma(-n, LN2_LOW, Math.fma(-n, LN2_HIGH, clamped));
        float p = 1f / 5040f;
        for (float next : new float[] {1f / 720f, 1f / 120f, 1f / 24f, 1f / 6f, 0.5f, 1f, 1f}) {
            p = Math.fma(p, r, next);
        }
        return Math.scalb(p, (int) n);
    }
}
