package dev.meridian.engine.bundle;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The packing {@value #NAME} of matrices in blocks of {@value #BLOCK} columns with a scale each: what Meridian's own
 * operators read in place.
 *
 * <p>Rows lie in panels of {@value #ROWS}, the last one padded. A panel is one tile for each block of columns: the codes of
 * 16 rows, in words of four bytes a row, then 16 float16 scales, little-endian. With 8 bits word {@code g} of a row holds
 * columns {@code 4g..4g+3}; with 4 bits its low nibbles hold columns {@code 8g..8g+3} and its high ones {@code 8g+4..8g+7}. A
 * weight is {@code scale * (code - zero)} with zero 8 or 128. Padding rows have the scale 0 and the zero code, padding columns
 * the zero code.
 *
 * <p>Unpacked, as MatMulNBits takes them, codes lie row by row in whole blocks, of 4 bits the earlier one in the low nibble,
 * and scales are float32, one for each block of a row.
 */
public final class Panels {
    public static final String NAME = "panels16";
    public static final int ROWS = 16;
    public static final int BLOCK = 32;
    /** Every packed matrix begins on a page of the weights file. */
    public static final int ALIGNMENT = 4096;

    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private Panels() {}

    /** Bytes of one tile. */
    public static int tileBytes(int bits) {
        return ROWS * (BLOCK * bits / Byte.SIZE + Short.BYTES);
    }

    /** Blocks of a row, the last of which may be partly padding. */
    public static int blocks(int columns) {
        return Math.ceilDiv(columns, BLOCK);
    }

    /** Bytes of one panel. */
    public static long panelBytes(int columns, int bits) {
        return (long) blocks(columns) * tileBytes(bits);
    }

    /** Bytes of a matrix. */
    public static long bytes(int rows, int columns, int bits) {
        return Math.ceilDiv((long) rows, ROWS) * panelBytes(columns, bits);
    }

    /** Bytes of a row's codes as they lie unpacked. */
    public static int rowBytes(int columns, int bits) {
        return blocks(columns) * BLOCK * bits / Byte.SIZE;
    }

    /**
     * Packs one panel.
     *
     * @param codes unpacked; row {@code firstRow} is the panel's first
     * @param scales the same, each of which float16 must hold as it is
     * @param rows how many of the panel's rows there are, 1 to 16
     * @param panel receives {@link #panelBytes} bytes from {@code at} on
     */
    public static void pack(
            int bits, byte[] codes, float[] scales, int firstRow, int rows, int columns, byte[] panel, int at) {
        int words = words(bits);
        int blocks = blocks(columns);
        int rowBytes = rowBytes(columns, bits);
        for (int block = 0; block < blocks; block++) {
            int tile = at + block * tileBytes(bits);
            for (int lane = 0; lane < ROWS; lane++) {
                int row = firstRow + lane;
                for (int word = 0; word < words; word++) {
                    int known = columns - block * BLOCK - word * (Integer.SIZE / bits);
                    int from = row * rowBytes + (block * words + word) * Integer.BYTES;
                    int value = lane < rows ? zeroed(bits, (int) INTS.get(codes, from), known) : zeroed(bits, 0, 0);
                    INTS.set(panel, tile + (word * ROWS + lane) * Integer.BYTES, bits == 4 ? spread(value) : value);
                }
                float scale = lane < rows ? scales[row * blocks + block] : 0;
                SHORTS.set(panel, tile + scaleAt(words, lane), Float.floatToFloat16(scale));
            }
        }
    }

    /** Unpacks one panel: the reverse of {@link #pack}. */
    public static void unpack(
            int bits, byte[] panel, int at, byte[] codes, float[] scales, int firstRow, int rows, int columns) {
        int words = words(bits);
        int blocks = blocks(columns);
        int rowBytes = rowBytes(columns, bits);
        for (int block = 0; block < blocks; block++) {
            int tile = at + block * tileBytes(bits);
            for (int lane = 0; lane < rows; lane++) {
                int row = firstRow + lane;
                int to = row * rowBytes + block * words * Integer.BYTES;
                for (int word = 0; word < words; word++) {
                    int value = (int) INTS.get(panel, tile + (word * ROWS + lane) * Integer.BYTES);
                    INTS.set(codes, to + word * Integer.BYTES, bits == 4 ? gathered(value) : value);
                }
                scales[row * blocks + block] =
                        Float.float16ToFloat((short) SHORTS.get(panel, tile + scaleAt(words, lane)));
            }
        }
    }

    /** Words of a row's codes in a tile. */
    private static int words(int bits) {
        return BLOCK * bits / Integer.SIZE;
    }

    private static int scaleAt(int words, int lane) {
        return words * ROWS * Integer.BYTES + lane * Short.BYTES;
    }

    /** A word of codes of which only the first {@code known} are columns of the matrix. */
    private static int zeroed(int bits, int codes, int known) {
        int count = Integer.SIZE / bits;
        int zeros = bits == 4 ? 0x88888888 : 0x80808080;
        if (known >= count) {
            return codes;
        }
        int keep = known <= 0 ? 0 : (1 << (known * bits)) - 1;
        return (codes & keep) | (zeros & ~keep);
    }

    /** Nibbles 0 to 3 to the low halves of four bytes, 4 to 7 to their high halves. */
    private static int spread(int nibbles) {
        return spreadHalf(nibbles & 0xffff) | spreadHalf(nibbles >>> 16) << 4;
    }

    private static int spreadHalf(int half) {
        int pairs = (half | half << 8) & 0x00ff00ff;
        return (pairs | pairs << 4) & 0x0f0f0f0f;
    }

    private static int gathered(int bytes) {
        return gatherHalf(bytes & 0x0f0f0f0f) | gatherHalf(bytes >>> 4 & 0x0f0f0f0f) << 16;
    }

    private static int gatherHalf(int nibbles) {
        int pairs = (nibbles | nibbles >>> 4) & 0x00ff00ff;
        return (pairs | pairs >>> 8) & 0xffff;
    }
}
