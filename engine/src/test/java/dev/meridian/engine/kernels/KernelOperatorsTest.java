package dev.meridian.engine.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.meridian.engine.kernels.TinyModel.Node;
import dev.meridian.engine.onnx.OnnxEnvironment;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The operators inside ONNX Runtime: the same bits as the plain functions, and refusals that say why. */
class KernelOperatorsTest {
    private final NativeKernels kernels = NativeKernels.required();
    private final OrtEnvironment environment = OnnxEnvironment.get();
    private final SplittableRandom random = new SplittableRandom(11);

    private OrtSession session(Node node, int threads) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.registerCustomOpLibrary(kernels.library().file().toString());
            options.setIntraOpNumThreads(threads);
            return environment.createSession(node.model(), options);
        }
    }

    private float[] run(OrtSession session, float[] x, long... shape) throws OrtException {
        try (OnnxTensor tensor = OnnxTensor.createTensor(environment, FloatBuffer.wrap(x), shape);
                OrtSession.Result result = session.run(Map.of("x", tensor))) {
            return floats(result);
        }
    }

    private float[] run(Node node, float[] x, long... shape) throws OrtException {
        try (OrtSession session = session(node, 2)) {
            return run(session, x, shape);
        }
    }

    private float[] runEmbed(Node node, long... ids) throws OrtException {
        try (OrtSession session = session(node, 1);
                OnnxTensor tensor =
                        OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), new long[] {1, ids.length});
                OrtSession.Result result = session.run(Map.of("x", tensor))) {
            assertThat(((OnnxTensor) result.get(0)).getInfo().getShape()).containsExactly(1, ids.length, node.k());
            return floats(result);
        }
    }

    private static float[] floats(OrtSession.Result result) {
        FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    private float[] normal(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private String path() {
        return kernels.library().path();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void gemmGivesTheBitsOfThePlainFunction(int bits) throws OrtException {
        Panels w = Panels.random(random, 300, 200, bits);
        float[] bias = normal(300);
        float[] x = normal(6 * 200);
        Node node = new Node("BlockGemm", w, w.bytes());
        assertThat(run(node, x, 2, 3, 200)).isEqualTo(kernels.gemm(path(), w, x, null));
        assertThat(run(node.withBias(bias), x, 2, 3, 200)).isEqualTo(kernels.gemm(path(), w, x, bias));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void gateUpGivesTheBitsOfThePlainFunction(int bits) throws OrtException {
        Panels gate = Panels.random(random, 75, 200, bits);
        Panels up = Panels.random(random, 75, 200, bits);
        float[] x = normal(40 * 200);
        assertThat(run(new Node("BlockGateUp", gate, gate.alternatingWith(up)), x, 1, 40, 200))
                .isEqualTo(kernels.gateUp(path(), gate, up, x));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void embedGivesTheRows(int bits) throws OrtException {
        Panels w = Panels.random(random, 75, 100, bits);
        assertThat(runEmbed(new Node("BlockEmbed", w, w.bytes()), 74, 0, 3, 3))
                .isEqualTo(kernels.embed(w, new long[] {74, 0, 3, 3}));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 600})
    void threadsChangeNoBit(int rows) throws Exception {
        Panels w = Panels.random(random, 1000, 320, 4);
        float[] x = normal(rows * 320);
        float[] expected = kernels.gemm(path(), w, x, null);
        Node node = new Node("BlockGemm", w, w.bytes());
        try (OrtSession session = session(node, 4);
                ExecutorService callers = Executors.newFixedThreadPool(3)) {
            for (Future<float[]> result : callers.invokeAll(IntStream.range(0, 9)
                    .mapToObj(_ -> (Callable<float[]>) () -> run(session, x, 1, rows, 320))
                    .toList())) {
                assertThat(result.get()).isEqualTo(expected);
            }
        }
    }

    @Test
    void everyPathRunsInASession() throws OrtException {
        Panels w = Panels.random(random, 100, 320, 4);
        float[] x = normal(5 * 320);
        String chosen = path();
        try {
            for (String path : kernels.paths()) {
                assertThat(kernels.select(path)).isZero();
                assertThat(run(new Node("BlockGemm", w, w.bytes()), x, 1, 5, 320))
                        .as(path)
                        .isEqualTo(kernels.gemm("portable", w, x, null));
            }
        } finally {
            assertThat(kernels.select(chosen)).isZero();
        }
    }

    @Test
    void noRowsGiveNoRows() throws OrtException {
        Panels w = Panels.random(random, 20, 32, 4);
        assertThat(run(new Node("BlockGemm", w, w.bytes()), new float[0], 1, 0, 32))
                .isEmpty();
    }

    @Test
    void weightsOfTheWrongSizeAreRefusedWhenTheSessionIsMade() {
        Panels w = Panels.random(random, 20, 32, 4);
        byte[] bytes = w.bytes();
        for (String op : new String[] {"BlockGemm", "BlockEmbed"}) {
            for (int size : new int[] {bytes.length - 1, bytes.length + 1}) {
                assertThatThrownBy(() -> session(new Node(op, w, Arrays.copyOf(bytes, size)), 1))
                        .isInstanceOf(OrtException.class)
                        .hasMessageContaining(op + ": W has rank 1 and " + size + " bytes, N=20 K=32 bits=4")
                        .hasMessageContaining("576 bytes");
            }
        }
        assertThatThrownBy(() -> session(new Node("BlockGateUp", w, bytes), 1))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("1152 bytes");
    }

    @Test
    void impossibleAttributesAndVariableWeightsAreRefused() {
        Panels w = Panels.random(random, 20, 32, 4);
        Node node = new Node("BlockGemm", w, w.bytes());
        assertThatThrownBy(() -> session(new Node("BlockGemm", 20, 32, 5, w.bytes(), new float[0], true), 1))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("impossible attributes N=20 K=32 bits=5");
        assertThatThrownBy(() -> session(new Node("BlockGemm", 0, 32, 4, w.bytes(), new float[0], true), 1))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("impossible attributes N=0");
        assertThatThrownBy(() -> session(node.withInputWeights(), 1))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("W is not a constant initializer");
    }

    @Test
    void inputsThatDoNotFitAreRefused() {
        Panels w = Panels.random(random, 20, 32, 4);
        Node node = new Node("BlockGemm", w, w.bytes());
        assertThatThrownBy(() -> run(node, new float[31], 1, 1, 31))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("last dimension 31, needs K=32");
        assertThatThrownBy(() -> run(node.withBias(new float[19]), new float[32], 1, 1, 32))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("19 elements, needs rank 1 and N=20");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 20, Long.MIN_VALUE, Long.MAX_VALUE})
    void anIdOutOfRangeIsRefused(long id) {
        Panels w = Panels.random(random, 20, 32, 4);
        assertThatThrownBy(() -> runEmbed(new Node("BlockEmbed", w, w.bytes()), 3, id))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("id " + id + " at 1 is not in 0..19");
    }
}
