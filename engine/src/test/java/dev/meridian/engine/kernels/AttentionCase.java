package dev.meridian.engine.kernels;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * What attention is computed over: sizes, the tables of rotation, and the cache.
 *
 * @param cos [turns, dim / 2]; so is sin
 * @param keys float16 bits as kernels.h lays them out; so are values
 */
@SuppressWarnings("ArrayRecordComponent") // not copied
record AttentionCase(
        int heads,
        int kvHeads,
        int dim,
        int slots,
        int capacity,
        int turns,
        float[] cos,
        float[] sin,
        short[] keys,
        short[] values) {
    /** A cache full of what nobody may look at: any bits, and many that are not a number. */
    static AttentionCase random(SplittableRandom random, int heads, int kvHeads, int dim, int slots, int capacity) {
        int turns = capacity + random.nextInt(20) - 10;
        float[] cos = new float[turns * dim / 2];
        float[] sin = new float[cos.length];
        for (int i = 0; i < cos.length; i++) {
            double angle = random.nextDouble(2 * Math.PI);
            cos[i] = (float) Math.cos(angle);
            sin[i] = (float) Math.sin(angle);
        }
        short[] keys = garbage(random, slots * kvHeads * capacity * dim);
        return new AttentionCase(
                heads, kvHeads, dim, slots, capacity, turns, cos, sin, keys, garbage(random, keys.length));
    }

    private static short[] garbage(SplittableRandom random, int count) {
        short[] bits = new short[count];
        for (int i = 0; i < count; i++) {
            int any = random.nextInt();
            bits[i] = (short) ((any & 0x30000) == 0 ? any | 0x7c01 : any);
        }
        return bits;
    }

    /** The same with a cache of its own. */
    AttentionCase copy() {
        return new AttentionCase(heads, kvHeads, dim, slots, capacity, turns, cos, sin, keys.clone(), values.clone());
    }

    int width() {
        return (heads + 2 * kvHeads) * dim;
    }

    /** The greatest position that the cache and the tables both have, and one more. */
    int positions() {
        return Math.min(capacity, turns);
    }

    int keyAt(int slot, int kvHead, int position, int d) {
        return (slot * kvHeads + kvHead) * capacity * dim + position / 16 * dim * 16 + d * 16 + position % 16;
    }

    int valueAt(int slot, int kvHead, int position, int d) {
        return ((slot * kvHeads + kvHead) * capacity + position) * dim + d;
    }

    /** What a slot's first positions hold: a key head after the other, then the values'. */
    short[] cached(int slot, int positions) {
        short[] all = new short[2 * kvHeads * positions * dim];
        int at = 0;
        for (int head = 0; head < kvHeads; head++) {
            for (int position = 0; position < positions; position++) {
                for (int d = 0; d < dim; d++, at++) {
                    all[at] = keys[keyAt(slot, head, position, d)];
                    all[all.length / 2 + at] = values[valueAt(slot, head, position, d)];
                }
            }
        }
        return all;
    }

    /**
     * Rows of one call.
     *
     * @param packed [rows, width]: query heads, key heads, value heads
     */
    record Rows(int[] slots, int[] positions, float[] packed) {
        int count() {
            return slots.length;
        }

        /** The part of every row that begins at `from`. */
        float[] part(int width, int from, int length) {
            float[] part = new float[count() * length];
            for (int row = 0; row < count(); row++) {
                System.arraycopy(packed, row * width + from, part, row * length, length);
            }
            return part;
        }

        Rows row(int width, int row) {
            return new Rows(
                    new int[] {slots[row]},
                    new int[] {positions[row]},
                    Arrays.copyOfRange(packed, row * width, (row + 1) * width));
        }
    }
}
