package dev.meridian.engine.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.meridian.engine.kernels.AttentionCase.Rows;
import dev.meridian.engine.onnx.OnnxEnvironment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** BlockAttention inside ONNX Runtime: the same bits as the plain function, and refusals that say why. */
class AttentionOperatorTest {
    private final NativeKernels kernels = NativeKernels.required();
    private final OrtEnvironment environment = OnnxEnvironment.get();
    private final SplittableRandom random = new SplittableRandom(17);
    private final Map<String, OnnxTensor> tensors = new HashMap<>();

    @AfterEach
    void closeTensors() {
        tensors.values().forEach(OnnxTensor::close);
    }

    private void put(String name, OnnxTensor tensor) {
        OnnxTensor before = tensors.put(name, tensor);
        if (before != null) {
            before.close();
        }
    }

    private void floats(String name, float[] values, long... shape) {
        try {
            put(name, OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), shape));
        } catch (OrtException e) {
            throw new AssertionError(e);
        }
    }

    private void ints(String name, int... values) {
        try {
            put(name, OnnxTensor.createTensor(environment, IntBuffer.wrap(values), new long[] {values.length}));
        } catch (OrtException e) {
            throw new AssertionError(e);
        }
    }

    /** In memory that the tensor shares, so that what is written can be read. */
    private ByteBuffer halves(String name, short[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(2 * values.length).order(ByteOrder.nativeOrder());
        bytes.asShortBuffer().put(values);
        try {
            put(name, OnnxTensor.createTensor(environment, bytes, shape, OnnxJavaType.FLOAT16));
        } catch (OrtException e) {
            throw new AssertionError(e);
        }
        return bytes;
    }

    private static short[] shorts(ByteBuffer bytes) {
        short[] values = new short[bytes.capacity() / 2];
        bytes.duplicate().clear().order(ByteOrder.nativeOrder()).asShortBuffer().get(values);
        return values;
    }

    private AttentionCase small() {
        return AttentionCase.random(random, 4, 2, 32, 3, 320);
    }

    private static Rows rows(AttentionCase c, int[] slots, int[] positions) {
        float[] packed = new float[slots.length * c.width()];
        SplittableRandom values = new SplittableRandom(3);
        for (int i = 0; i < packed.length; i++) {
            packed[i] = (float) values.nextGaussian();
        }
        return new Rows(slots, positions, packed);
    }

    /** A whole sequence of 300, of which the last rows are another's first. */
    private static Rows prefill(AttentionCase c) {
        int[] slots = new int[304];
        int[] positions = new int[304];
        Arrays.setAll(positions, i -> i < 300 ? i : i - 300);
        Arrays.fill(slots, 0, 300, 1);
        return rows(c, slots, positions);
    }

    private record Caches(ByteBuffer keys, ByteBuffer values) {}

    private Caches give(AttentionCase c, Rows rows) {
        int own = c.heads() * c.dim();
        int cached = c.kvHeads() * c.dim();
        floats("query", rows.packed(), 1, rows.count(), c.width());
        floats("key", rows.part(c.width(), own, cached), 1, rows.count(), cached);
        floats("value", rows.part(c.width(), own + cached, cached), 1, rows.count(), cached);
        ints("slots", rows.slots());
        ints("positions", rows.positions());
        floats("cos", c.cos(), c.turns(), c.dim() / 2);
        floats("sin", c.sin(), c.turns(), c.dim() / 2);
        long[] shape = {c.slots(), c.kvHeads(), c.capacity(), c.dim()};
        return new Caches(halves("past_key", c.keys(), shape), halves("past_value", c.values(), shape));
    }

    private float[] run(AttentionModel model, int threads, boolean pinned) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.registerCustomOpLibrary(kernels.library().file().toString());
            options.setIntraOpNumThreads(threads);
            try (OrtSession session = environment.createSession(model.model(), options)) {
                return run(session, model, pinned);
            }
        }
    }

    private float[] run(OrtSession session, AttentionModel model, boolean pinned) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>(tensors);
        inputs.keySet().retainAll(model.inputs());
        Map<String, OnnxValue> outputs = new HashMap<>();
        if (pinned) {
            outputs.put("present_key", tensors.get("past_key"));
            outputs.put("present_value", tensors.get("past_value"));
        }
        Set<String> asked = new HashSet<>(List.of("out", "present_key", "present_value"));
        asked.removeAll(outputs.keySet());
        try (OrtSession.Result result = session.run(inputs, asked, outputs)) {
            FloatBuffer buffer = ((OnnxTensor) result.get("out").orElseThrow()).getFloatBuffer();
            float[] out = new float[buffer.remaining()];
            buffer.get(out);
            return out;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void theOperatorGivesTheBitsOfThePlainFunction(int threads) throws OrtException {
        AttentionCase c = small();
        Rows rows = prefill(c);
        AttentionCase expectedCache = c.copy();
        float[] expected = kernels.attention("portable", expectedCache, rows, true);
        for (boolean packed : new boolean[] {true, false}) {
            Caches cache = give(c, rows);
            if (!packed) {
                floats("query", rows.part(c.width(), 0, 128), 2, rows.count() / 2, 128);
            }
            assertThat(run(new AttentionModel(c, packed), threads, true)).isEqualTo(expected);
            assertThat(shorts(cache.keys)).isEqualTo(expectedCache.keys());
            assertThat(shorts(cache.values)).isEqualTo(expectedCache.values());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aLongContextIsDividedOverThreads(int threads) throws OrtException {
        AttentionCase c = AttentionCase.random(random, 4, 2, 32, 1, 4096);
        Arrays.fill(c.keys(), (short) 0x3800);
        for (int i = 0; i < c.values().length; i++) {
            c.values()[i] = (short) (0x3000 + i % 1024);
        }
        Rows rows = rows(c, new int[] {0}, new int[] {4000});
        float[] expected = kernels.attention("portable", c.copy(), rows, true);
        give(c, rows);
        for (int i = 0; i < 5; i++) {
            assertThat(run(new AttentionModel(c, true), threads, true)).isEqualTo(expected);
        }
    }

    @Test
    void everyPathRunsInASession() throws OrtException {
        AttentionCase c = small();
        Rows rows = rows(c, new int[] {2, 0}, new int[] {0, 0});
        float[] expected = kernels.attention("portable", c.copy(), rows, true);
        String chosen = kernels.library().path();
        try {
            for (String path : kernels.paths()) {
                assertThat(kernels.select(path)).isZero();
                give(c, rows);
                assertThat(run(new AttentionModel(c, true), 2, true)).as(path).isEqualTo(expected);
            }
        } finally {
            assertThat(kernels.select(chosen)).isZero();
        }
    }

    @Test
    void noRowsDoNothing() throws OrtException {
        AttentionCase c = small();
        Caches cache = give(c, rows(c, new int[0], new int[0]));
        assertThat(run(new AttentionModel(c, true), 1, true)).isEmpty();
        assertThat(shorts(cache.keys)).isEqualTo(c.keys());
    }

    /** Nothing of the cache has changed. */
    private void assertRefused(
            AttentionCase c,
            AttentionModel model,
            boolean pinned,
            Consumer<AttentionOperatorTest> change,
            String said) {
        Caches cache = give(c, rows(c, new int[] {0, 2}, new int[] {5, 0}));
        change.accept(this);
        assertThatThrownBy(() -> run(model, 1, pinned))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("BlockAttention: " + said);
        assertThat(shorts(cache.keys)).isEqualTo(c.keys());
        assertThat(shorts(cache.values)).isEqualTo(c.values());
    }

    private void assertRefused(Consumer<AttentionOperatorTest> change, String said) {
        AttentionCase c = small();
        assertRefused(c, new AttentionModel(c, true), true, change, said);
    }

    private void assertSeparateRefused(Consumer<AttentionOperatorTest> change, String said) {
        AttentionCase c = small();
        Consumer<AttentionOperatorTest> narrow = t -> t.floats("query", new float[2 * 128], 2, 128);
        assertRefused(c, new AttentionModel(c, false), true, narrow.andThen(change), said);
    }

    @Test
    void presentThatIsNotPastIsRefused() {
        AttentionCase c = small();
        assertRefused(c, new AttentionModel(c, true), false, _ -> {}, "present_key must be past's own memory");
    }

    @ParameterizedTest
    @CsvSource({"-1, 0", "3, 0", "0, -1", "0, 320", "0, 2147483647", "-2147483648, 0"})
    void rowsOutsideTheCacheAreRefused(int slot, int position) {
        assertRefused(
                t -> {
                    t.ints("slots", 0, slot);
                    t.ints("positions", 0, position);
                },
                "slot " + slot + " and position " + position
                        + " of row 1 are not within 3 slots, 320 cached positions");
    }

    @Test
    void aPositionWithoutARotationIsRefused() {
        assertRefused(
                t -> {
                    t.floats("cos", new float[5 * 16], 5, 16);
                    t.floats("sin", new float[5 * 16], 5, 16);
                },
                "slot 0 and position 5 of row 0 are not within 3 slots, 320 cached positions and 5 rows of cos");
    }

    @Test
    void rowsThatDoNotFitAreRefused() {
        assertRefused(t -> t.floats("query", new float[2 * 128], 2, 128), "query has rank 2 and last dimension 128");
        assertRefused(t -> t.floats("query", new float[1]), "query has rank 0");
        assertRefused(t -> t.ints("slots", 0), "slots has 1 rows, query has 2");
        assertRefused(t -> t.ints("positions", 0, 1, 2), "positions has 3 rows, query has 2");
        assertSeparateRefused(t -> t.floats("key", new float[64], 1, 64), "key has 1 rows, query has 2");
        assertSeparateRefused(t -> t.floats("value", new float[6 * 64], 6, 64), "value has 6 rows, query has 2");
        assertSeparateRefused(t -> t.floats("key", new float[128], 4, 32), "key has rank 2 and last dimension 32");
        assertSeparateRefused(
                t -> t.floats("query", new float[512], 2, 256), "query has rank 2 and last dimension 256");
    }

    @Test
    void cachesThatDoNotFitAreRefused() {
        short[] values = new short[3 * 2 * 320 * 32];
        assertRefused(
                t -> t.halves("past_key", values, 3, 2 * 320, 32), "past_key of rank 3 is not [slots, kv_heads=2");
        assertRefused(t -> t.halves("past_key", values, 3, 2, 640, 16), "past_key of rank 4 is not");
        assertRefused(t -> t.halves("past_key", values, 3, 4, 160, 32), "past_key of rank 4 is not");
        assertRefused(t -> t.halves("past_key", new short[2 * 24 * 32], 1, 2, 24, 32), "past_key of rank 4 is not");
        assertRefused(
                t -> t.halves("past_value", values, 6, 2, 160, 32), "dimension 0 of past_value is 6, of past_key 3");
        assertRefused(t -> t.halves("past_value", values, values.length), "past_value has rank 1, past_key 4");
    }

    @Test
    void tablesThatDoNotFitAreRefused() {
        assertRefused(t -> t.floats("cos", new float[320 * 8], 320, 8), "cos has rank 2 and last dimension 8");
        assertRefused(t -> t.floats("cos", new float[320 * 16], 320 * 16), "cos has rank 1");
        assertRefused(t -> t.floats("sin", new float[16], 1, 16), "sin has rank 2 and 16 elements");
    }

    @Test
    void keysWithoutValuesAreRefused() {
        AttentionCase c = small();
        AttentionModel model = new AttentionModel(c, true);
        for (List<String> inputs : List.of(AttentionModel.with("key"), AttentionModel.with("", "value"))) {
            assertRefused(
                    c, model.withInputs(inputs), true, _ -> {}, "key and value must be both given or both absent");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, 16",
        "3, 2, 16",
        "2, 3, 16",
        "2, 0, 16",
        "2, -1, 16",
        "2, 1, 0",
        "2, 1, 24",
        "2, 1, 528",
        "2, 1, -16",
        "1048577, 1, 16",
        "9223372036854775807, 1, 16",
        "9223372036854775807, 9223372036854775807, 512"
    })
    void impossibleAttributesAreRefused(long heads, long kvHeads, long dim) {
        assertThatThrownBy(() -> run(
                        new AttentionModel(heads, kvHeads, dim, AttentionModel.FLOAT16, AttentionModel.PACKED),
                        1,
                        false))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("BlockAttention: impossible attributes heads=" + heads + " kv_heads=" + kvHeads
                        + " head_dim=" + dim);
    }

    /** By ONNX Runtime itself, which compares with what the operator says of its inputs. */
    @Test
    void otherElementTypesAreRefused() {
        assertThatThrownBy(
                        () -> run(new AttentionModel(4, 2, 32, AttentionModel.FLOAT, AttentionModel.PACKED), 1, false))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("BlockAttention")
                .hasMessageContaining("past_key");
    }
}
