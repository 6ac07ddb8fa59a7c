package dev.meridian.engine.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
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
        try (KvMemory kv = new KvMemory(KvLayout.floats(shape(3, 2, 32)), 2, 3 * positionsOfAPage)) {
            assertThat(kv.bytes(0)).isZero();
            assertThat(kv.bytes(1)).isEqualTo(PAGE * 2 * 6);
            assertThat(kv.bytes(positionsOfAPage)).isEqualTo(PAGE * 2 * 6);
            assertThat(kv.bytes(positionsOfAPage + 1)).isEqualTo(2 * PAGE * 2 * 6);
        }
    }

    @Test
    void refusesSlabsOverTwoGibibytes() {
        ModelShape large = shape(1, 8, 128);
        assertThat(KvLayout.floats(large).slotsThatFit(32768)).isEqualTo(15);
        assertThatThrownBy(() -> new KvMemory(KvLayout.floats(large), 16, 32768))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("16 slots of 32768 tokens");
    }

    @Test
    void keysOfSixteenPositionsLieTogether() {
        KvLayout wide = KvLayout.halves(shape(1, 2, 256));
        assertThat(wide.usedBytes(1)).isEqualTo(16 * 256 * 2);
        assertThat(wide.usedBytes(16)).isEqualTo(16 * 256 * 2);
        assertThat(wide.usedBytes(17)).isEqualTo(2 * 16 * 256 * 2);
        for (int headDim : new int[] {16, 48, 64, 80, 96, 128, 256}) {
            KvLayout layout = KvLayout.halves(shape(1, 2, headDim));
            for (int context : new int[] {2, 100, 1000, 4097}) {
                int positions = layout.positions(context);
                assertThat(positions).isGreaterThanOrEqualTo(context);
                assertThat(positions % 16).isZero();
                assertThat((long) positions * headDim * 2 % PAGE).isZero();
                assertThat(layout.committedBytes(context)).isLessThanOrEqualTo((long) positions * headDim * 2);
            }
        }
    }

    @Test
    void settingsShrinkToWhatFits() {
        assertThat(new RunnerSettings(16, 100_000, 128, 2)
                        .within(KvLayout.floats(new ModelShape(1, 64, 64, 8, 8, 128, 100, 32768))))
                .isEqualTo(new RunnerSettings(15, 32768, 128, 2));
        assertThat(new RunnerSettings(12, 16, 100_000, 128, 2, Optional.empty())
                        .within(KvLayout.floats(new ModelShape(1, 64, 64, 8, 8, 128, 100, 32768))))
                .as("the further slots first")
                .isEqualTo(new RunnerSettings(12, 3, 32768, 128, 2, Optional.empty()));
    }

    @Test
    void slotsExchangeWhatTheyHold() throws OrtException {
        ModelShape shape = shape(2, 2, 32);
        OrtEnvironment environment = OnnxEnvironment.get();
        int longer = Math.toIntExact(PAGE / (32 * 4)) + 5;
        try (KvMemory kv = new KvMemory(KvLayout.floats(shape), 3, longer)) {
            fill(kv, environment, 0, 3, 1);
            fill(kv, environment, 2, longer, 100);
            kv.swap(0, 3, 2, longer);
            assertHolds(kv, environment, 0, longer, 100);
            assertHolds(kv, environment, 2, 3, 1);
            assertHolds(kv, environment, 1, 0, 0);
            kv.swap(2, 3, 1, 0);
            assertHolds(kv, environment, 1, 3, 1);
            assertHolds(kv, environment, 2, 0, 0);
        }
    }

    @Test
    void aCopyHoldsTheFirstPositionsAndLeavesTheOthersAlone() throws OrtException {
        ModelShape shape = shape(2, 2, 32);
        OrtEnvironment environment = OnnxEnvironment.get();
        int positionsOfAPage = Math.toIntExact(PAGE / (32 * 4));
        int longer = 2 * positionsOfAPage + 5;
        try (KvMemory kv = new KvMemory(KvLayout.floats(shape), 3, longer)) {
            fill(kv, environment, 0, longer, 100);
            kv.copy(0, 2, longer);
            assertHolds(kv, environment, 0, longer, 100);
            assertHolds(kv, environment, 2, longer, 100);
            assertHolds(kv, environment, 1, 0, 0);

            fill(kv, environment, 1, positionsOfAPage, 7);
            kv.release(2, longer);
            kv.copy(1, 2, positionsOfAPage);
            assertHolds(kv, environment, 2, positionsOfAPage, 7);
            assertHolds(kv, environment, 0, longer, 100);
        }
    }

    @Test
    void aSlotThatShrinksGivesWholePagesBack() throws OrtException {
        ModelShape shape = shape(2, 2, 32);
        OrtEnvironment environment = OnnxEnvironment.get();
        int positionsOfAPage = Math.toIntExact(PAGE / (32 * 4));
        int longer = 3 * positionsOfAPage;
        try (KvMemory kv = new KvMemory(KvLayout.floats(shape), 2, longer)) {
            fill(kv, environment, 0, positionsOfAPage + 1, 7);
            kv.shrink(0, longer, positionsOfAPage + 1);
            assertHolds(kv, environment, 0, positionsOfAPage + 1, 7);
            FloatBuffer keys = slab(kv, environment, 0, "1.value");
            keys.put(2 * positionsOfAPage * 32, 5f);
            kv.shrink(0, longer, 2 * positionsOfAPage);
            assertThat(keys.get(2 * positionsOfAPage * 32)).isZero();
            assertHolds(kv, environment, 0, positionsOfAPage + 1, 7);
        }
    }

    private static FloatBuffer slab(KvMemory kv, OrtEnvironment environment, int slot, String name)
            throws OrtException {
        OnnxTensor tensor =
                Objects.requireNonNull(kv.views(environment, slot, 1).past().get("past." + name));
        return ((ByteBuffer) tensor.getBufferRef().orElseThrow())
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    /** Every element of the first positions of each head gets a value of its own. */
    private static void fill(KvMemory kv, OrtEnvironment environment, int slot, int tokens, float from)
            throws OrtException {
        forEachValue(kv, environment, slot, tokens, (slab, at, number) -> slab.put(at, from + number));
    }

    private static void assertHolds(KvMemory kv, OrtEnvironment environment, int slot, int tokens, float from)
            throws OrtException {
        forEachValue(kv, environment, slot, tokens, (slab, at, number) -> {
            if (slab.get(at) != from + number) {
                throw new AssertionError("slot " + slot + " at " + at + ": " + slab.get(at));
            }
        });
        // Behind them nothing is left of what stood there.
        FloatBuffer keys = slab(kv, environment, slot, "0.key");
        int pagesEnd = Math.toIntExact(kv.bytes(tokens) / (2 * 2 * 2) / 4);
        for (int at = pagesEnd; at < keys.capacity() / 2; at++) {
            assertThat(keys.get(at)).as("slot %d at %d", slot, at).isZero();
        }
    }

    private interface Value {
        void visit(FloatBuffer slab, int at, int number);
    }

    private static void forEachValue(KvMemory kv, OrtEnvironment environment, int slot, int tokens, Value value)
            throws OrtException {
        int number = 0;
        for (String name : List.of("0.key", "0.value", "1.key", "1.value")) {
            FloatBuffer slab = slab(kv, environment, slot, name);
            for (int head = 0; head < 2; head++) {
                for (int i = 0; i < tokens * 32; i++) {
                    value.visit(slab, head * slab.capacity() / 2 + i, number++);
                }
            }
        }
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
