package dev.meridian.engine.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class KvMemoryTest {
    private static final long PAGE = LazyMemory.pageBytes();

    private static ModelShape shape(int layers, int kvHeads, int headDim) {
        return new ModelShape(layers, 64, 64, kvHeads, kvHeads, headDim, 100, 4096);
    }

    @Test
    void countsWholePagesForEachHeadOfEachSlab() {
        int positionsOfAPage = Math.toIntExact(PAGE / (32 * 4));
        try (KvMemory kv = new KvMemory(shape(3, 2, 32), 2, 3 * positionsOfAPage)) {
            assertThat(kv.bytes(0)).isZero();
            assertThat(kv.bytes(1)).isEqualTo(PAGE * 2 * 6);
            assertThat(kv.bytes(positionsOfAPage)).isEqualTo(PAGE * 2 * 6);
            assertThat(kv.bytes(positionsOfAPage + 1)).isEqualTo(2 * PAGE * 2 * 6);
        }
    }

    @Test
    void refusesSlabsOverTwoGibibytes() {
        ModelShape large = shape(1, 8, 128);
        assertThat(KvMemory.slotsThatFit(large, 32768)).isEqualTo(15);
        assertThatThrownBy(() -> new KvMemory(large, 16, 32768))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("16 slots of 32768 tokens");
    }

    @Test
    void settingsShrinkToWhatFits() {
        assertThat(new RunnerSettings(16, 100_000, 128, 2).within(new ModelShape(1, 64, 64, 8, 8, 128, 100, 32768)))
                .isEqualTo(new RunnerSettings(15, 32768, 128, 2));
    }

    @Test
    void memoryIsZeroAgainAfterItsRelease() {
        Assumptions.assumeTrue(System.getProperty("os.name").startsWith("Linux"), "only Linux promises zeros");
        try (LazyMemory memory = LazyMemory.map(4 * PAGE)) {
            memory.segment().fill((byte) 7);
            memory.release(PAGE, 2 * PAGE);

            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, PAGE - 1)).isEqualTo((byte) 7);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, PAGE)).isZero();
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 3 * PAGE - 1))
                    .isZero();
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 3 * PAGE)).isEqualTo((byte) 7);
        }
    }

    @Test
    void unusedMemoryIsNotResident() throws Exception {
        Path statm = Path.of("/proc/self/statm");
        Assumptions.assumeTrue(Files.isReadable(statm), "no /proc");
        long pages = 256 << 8; // 256 MiB.
        try (LazyMemory memory = LazyMemory.map(pages * PAGE)) {
            long before = residentPages(statm);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 5 * PAGE)).isZero();
            assertThat(residentPages(statm) - before).isLessThan(pages / 4);
        }
    }

    private static long residentPages(Path statm) throws Exception {
        return Long.parseLong(Files.readString(statm).split(" ", -1)[1]);
    }
}
