package dev.meridian.builder.quant;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Float32 to IEEE 754's binary16, by the JDK's conversion: to the nearest, ties to even, subnormal below 2^-14. What would
 * become infinite is the caller's to refuse.
 */
public final class Float16 {
    /** Half a step above 65504, the largest float16: from here on rounding gives infinity. */
    private static final float OVERFLOW = 65520f;

    private Float16() {}

    /** Index of the first of the values {@code [from, until)} that becomes infinite or is no number; -1 where none does. */
    public static int firstOverflow(float[] values, int from, int until) {
        for (int i = from; i < until; i++) {
            // The comparison is false for NaN.
            if (!(Math.abs(values[i]) < OVERFLOW)) {
                return i;
            }
        }
        return -1;
    }

    /** Puts the first {@code count} values into the buffer as little-endian float16, two bytes each, from its position on. */
    public static void put(float[] values, int count, ByteBuffer into) {
        ByteBuffer bytes = into.order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            bytes.putShort(Float.floatToFloat16(values[i]));
        }
    }
}
