package dev.meridian.engine.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The packing against its definition, element by element. */
class PanelsTest {
    private static int code(byte[] codes, int bits, int rowBytes, int row, int column) {
        return bits == 8
                ? codes[row * rowBytes + column] & 0xff
                : codes[row * rowBytes + column / 2] >> (column % 2 * 4) & 0xf;
    }

    /** Where the definition puts the code of a row and a column, by groups of 64 bytes. */
    private static int packedCode(ByteBuffer packed, int bits, int columns, int row, int column) {
        int blocks = (columns + 31) / 32;
        int tile = bits == 4 ? 288 : 544;
        int at = (row / 16 * blocks + column / 32) * tile;
        int lane = row % 16;
        int inside = column % 32;
        if (bits == 8) {
            return packed.get(at + inside / 4 * 64 + lane * 4 + inside % 4) & 0xff;
        }
        int both = packed.get(at + inside / 8 * 64 + lane * 4 + inside % 4) & 0xff;
        return inside % 8 < 4 ? both & 0xf : both >> 4;
    }

    private static float packedScale(ByteBuffer packed, int bits, int columns, int row, int block) {
        int blocks = (columns + 31) / 32;
        int at = (row / 16 * blocks + block) * (bits == 4 ? 288 : 544) + (bits == 4 ? 256 : 512) + row % 16 * 2;
        return Float.float16ToFloat(packed.getShort(at));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void packedCodesLieWhereTheDefinitionPutsThemAndComeBack(long seed) {
        Random random = new Random(seed);
        int bits = random.nextBoolean() ? 4 : 8;
        int rows = 1 + random.nextInt(50);
        int columns = 1 + random.nextInt(100);
        int blocks = Panels.blocks(columns);
        int rowBytes = Panels.rowBytes(columns, bits);
        byte[] codes = new byte[rows * rowBytes];
        random.nextBytes(codes);
        float[] scales = new float[rows * blocks];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = Float.float16ToFloat(Float.floatToFloat16((float) random.nextGaussian()));
        }
        byte[] packed = new byte[(int) Panels.bytes(rows, columns, bits)];
        byte[] codesBack = new byte[codes.length];
        float[] scalesBack = new float[scales.length];
        for (int row = 0; row < rows; row += 16) {
            int at = row / 16 * (int) Panels.panelBytes(columns, bits);
            int count = Math.min(16, rows - row);
            Panels.pack(bits, codes, scales, row, count, columns, packed, at);
            Panels.unpack(bits, packed, at, codesBack, scalesBack, row, count, columns);
        }
        ByteBuffer view = ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN);
        int zero = bits == 4 ? 8 : 128;
        assertThat(packed.length).isEqualTo((rows + 15) / 16 * blocks * (bits == 4 ? 288 : 544));
        for (int row = 0; row < (rows + 15) / 16 * 16; row++) {
            for (int column = 0; column < blocks * 32; column++) {
                boolean inside = row < rows && column < columns;
                assertThat(packedCode(view, bits, columns, row, column))
                        .as("row %d of %d, column %d of %d", row, rows, column, columns)
                        .isEqualTo(inside ? code(codes, bits, rowBytes, row, column) : zero);
                if (row < rows) {
                    assertThat(code(codesBack, bits, rowBytes, row, column))
                            .isEqualTo(packedCode(view, bits, columns, row, column));
                }
            }
            for (int block = 0; block < blocks; block++) {
                assertThat(packedScale(view, bits, columns, row, block))
                        .isEqualTo(row < rows ? scales[row * blocks + block] : 0);
            }
        }
        assertThat(scalesBack).containsExactly(scales);
    }
}
