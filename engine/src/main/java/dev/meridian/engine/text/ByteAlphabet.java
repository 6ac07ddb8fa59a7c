package dev.meridian.engine.text;

import java.util.Arrays;

/** GPT-2's alphabet, one printable character a byte (its {@code bytes_to_unicode}): U+0120 is the blank. */
final class ByteAlphabet {
    private static final short[] BYTES = bytes();

    private ByteAlphabet() {}

    private static short[] bytes() {
        short[] bytes = new short[0x144];
        Arrays.fill(bytes, (short) -1);
        int shifted = 0x100;
        for (int value = 0; value < 256; value++) {
            boolean printable = (value >= '!' && value <= '~') || (value >= 0xa1 && value <= 0xff && value != 0xad);
            bytes[printable ? value : shifted++] = (short) value;
        }
        return bytes;
    }

    /** The byte that a character stands for, or -1. */
    static int byteOf(char c) {
        return c < BYTES.length ? BYTES[c] : -1;
    }
}
