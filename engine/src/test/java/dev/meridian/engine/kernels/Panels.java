package dev.meridian.engine.kernels;

import java.util.random.RandomGenerator;

/**
 * A weight matrix of n rows and k columns, as codes and as the bytes that kernels read.
 *
 * @param codes unsigned, [n, k]
 * @param scales float16 bits, [n, blocks]
 */
@SuppressWarnings("ArrayRecordComponent") // not copied
record Panels(int n, int k, int bits, byte[] codes, short[] scales) {
    static Panels random(RandomGenerator random, int n, int k, int bits) {
        byte[] codes = new byte[n * k];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) random.nextInt(1 << bits);
        }
        short[] scales = new short[n * blocks(k)];
        for (int i = 0; i < scales.length; i++) {
            // Zero, subnormal and ordinary scales of both signs.
            float scale = switch (random.nextInt(16)) {
                case 0 -> 0f;
                case 1 -> random.nextFloat() * 0x1p-16f;
                default -> (random.nextFloat() - 0.5f) * 0.1f;
            };
            scales[i] = Float.floatToFloat16(scale);
        }
        return new Panels(n, k, bits, codes, scales);
    }

    static int blocks(int k) {
        return (k + 31) / 32;
    }

    int blocks() {
        return blocks(k);
    }

    int zero() {
        return bits == 4 ? 8 : 128;
    }

    /** The code less the zero code; 0 in the padding. */
    int signedCode(int row, int column) {
        return row < n && column < k ? Byte.toUnsignedInt(codes[row * k + column]) - zero() : 0;
    }

    float scale(int row, int block) {
        return row < n ? Float.float16ToFloat(scales[row * blocks() + block]) : 0f;
    }

    private int panelBytes() {
        return blocks() * (bits == 4 ? 288 : 544);
    }

    private int panels() {
        return (n + 15) / 16;
    }

    byte[] bytes() {
        byte[] packed = new byte[panels() * panelBytes()];
        pack(packed, 1, 0);
        return packed;
    }

    /** A panel of this, a panel of the other, and so on. */
    byte[] alternatingWith(Panels other) {
        byte[] packed = new byte[2 * panels() * panelBytes()];
        pack(packed, 2, 0);
        other.pack(packed, 2, 1);
        return packed;
    }

    private void pack(byte[] packed, int stride, int offset) {
        int groups = bits == 4 ? 4 : 8;
        int tile = groups * 64 + 32;
        for (int panel = 0; panel < panels(); panel++) {
            for (int block = 0; block < blocks(); block++) {
                int at = (panel * stride + offset) * panelBytes() + block * tile;
                for (int lane = 0; lane < 16; lane++) {
                    int row = panel * 16 + lane;
                    for (int g = 0; g < groups; g++) {
                        for (int i = 0; i < 4; i++) {
                            packed[at + g * 64 + lane * 4 + i] = codeByte(row, block, g, i);
                        }
                    }
                    short scale = Float.floatToFloat16(scale(row, block));
                    packed[at + groups * 64 + 2 * lane] = (byte) scale;
                    packed[at + groups * 64 + 2 * lane + 1] = (byte) (scale >> 8);
                }
            }
        }
    }

    private byte codeByte(int row, int block, int group, int i) {
        if (bits == 8) {
            return (byte) (signedCode(row, 32 * block + 4 * group + i) + zero());
        }
        int low = signedCode(row, 32 * block + 8 * group + i) + zero();
        int high = signedCode(row, 32 * block + 8 * group + 4 + i) + zero();
        return (byte) (high << 4 | low);
    }
}
