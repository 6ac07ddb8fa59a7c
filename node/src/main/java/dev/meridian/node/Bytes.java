package dev.meridian.node;

import java.util.Locale;

/** Amounts of bytes for people, in binary units. */
final class Bytes {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Bytes() {}

    /** {@code 1536} becomes {@code 1.5 KiB}; whole bytes below one KiB. */
    static String format(long bytes) {
        double value = bytes;
        int unit = 0;
        // 1023.95 would be rounded to "1024.0".
        while (value >= 1023.95 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }
}
