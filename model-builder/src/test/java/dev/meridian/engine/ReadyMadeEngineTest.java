package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.builder.TinyBundles;
import dev.meridian.builder.graph.TinyDecoder;
import dev.meridian.builder.graph.TinyDecoder.Form;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine over a ready-made decoder: many sequences at once, cut and continued, say what each says alone. */
class ReadyMadeEngineTest {
    private static final long NEVER = Long.MAX_VALUE / 2;
    private static final int SLOTS = 3;
    private static final int CONTEXT = 48;
    private static final int END = LetterVocabulary.END;

    @TempDir
    Path folder;

    private ModelRunner open(long seed) throws IOException {
        TinyDecoder decoder = new TinyDecoder(Form.PLAIN, LetterVocabulary.SIZE, seed);
        var bundle = TinyBundles.write(folder.resolve("tiny"), decoder, Form.PLAIN, LetterVocabulary.SIZE);
        return GraphRunners.open(
                CheckedBundle.of(bundle, VerifiedFiles.none()), new RunnerSettings(SLOTS, CONTEXT, 16, 1));
    }

    private static Engine engine(ModelRunner runner, EngineSettings settings, StepListener listener) {
        return new Engine(
                "tiny",
                runner,
                new LetterVocabulary(),
                List.of(END),
                SamplingDefaults.none(),
                settings,
                listener,
                () -> 0L);
    }

    private static int[] alone(ModelRunner runner, SequenceRequest request) throws InterruptedException {
        RecordingListener listener = new RecordingListener();
        Engine engine = engine(runner, new EngineSettings(3, 16, Long.MAX_VALUE / 2), listener);
        assertThat(engine.submit(List.of(request))).isEmpty();
        while (!engine.isIdle()) {
            engine.step();
        }
        assertThat(listener.failures()).isEmpty();
        return tokens(listener, request);
    }

    private static int[] tokens(RecordingListener listener, SequenceRequest request) {
        return listener.entries(request.attempt(), request.choice()).stream()
                .mapToInt(Entry::tokenId)
                .toArray();
    }

    private static Generation generation(float temperature, int choices, int maxTokens, long seed) {
        return new Generation(
                new Sampling(temperature, 0, 1f, 0f, null, 0f, 0f, Map.of(), seed), choices, maxTokens, List.of(), -1);
    }

    private static SequenceRequest request(String id, int choice, int[] prompt, int[] emitted, Generation generation) {
        return new SequenceRequest(
                new Attempt(id, 1), choice, TokenIds.of(prompt), TokenIds.of(emitted), generation, NEVER);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void manySequencesSayWhatEachSaysAlone(long seed) throws Exception {
        Random random = new Random(seed);
        List<SequenceRequest> submitted = new ArrayList<>();
        Set<Attempt> cancelled = new HashSet<>();
        RecordingListener listener = new RecordingListener();
        try (ModelRunner runner = open(seed)) {
            EngineSettings settings = new EngineSettings(30, 5, runner.kvBytes(CONTEXT * 3 / 2));
            Engine engine = engine(runner, settings, listener);
            for (int round = 0; round < 60 || !engine.isIdle(); round++) {
                if (round < 60 && random.nextInt(4) == 0) {
                    submitted.addAll(arrive(engine, "r" + round, random));
                }
                if (!submitted.isEmpty() && random.nextInt(25) == 0) {
                    Attempt attempt =
                            submitted.get(random.nextInt(submitted.size())).attempt();
                    cancelled.add(attempt);
                    engine.cancel(attempt);
                }
                if (!engine.isIdle()) {
                    engine.step();
                    assertThat(engine.stats().decoding()).isLessThanOrEqualTo(SLOTS);
                }
            }
            assertThat(listener.failures()).isEmpty();
            assertThat(engine.stats().preemptions())
                    .as("seed %d: the budget was short", seed)
                    .isPositive();
            for (SequenceRequest request : submitted) {
                if (!cancelled.contains(request.attempt())) {
                    assertThat(tokens(listener, request))
                            .as("seed %d: %s", seed, request.attempt())
                            .isEqualTo(alone(runner, request));
                }
            }
        }
    }

    /** One to three choices of one prompt. */
    private static List<SequenceRequest> arrive(Engine engine, String id, Random random) {
        int choices = 1 + random.nextInt(3);
        Generation generation =
                generation(random.nextInt(2), choices, 5 + random.nextInt(25), random.nextInt(Integer.MAX_VALUE));
        int[] prompt = random.ints(1 + random.nextInt(CONTEXT / 2), 1, LetterVocabulary.SIZE)
                .toArray();
        List<SequenceRequest> all = new ArrayList<>();
        for (int choice = 0; choice < choices; choice++) {
            all.add(request(id, choice, prompt, new int[0], generation));
        }
        return engine.submit(all).isEmpty() ? all : List.of();
    }

    @Test
    void cutAnywhereTheTextGoesOn() throws Exception {
        try (ModelRunner runner = open(9)) {
            int[] prompt = LetterVocabulary.ids("The weather");
            Generation generation = generation(1, 1, 30, 77);
            int[] whole = alone(runner, request("whole", 0, prompt, new int[0], generation));
            assertThat(whole).hasSizeGreaterThan(5);
            for (int cut = 1; cut < whole.length; cut++) {
                int[] rest = alone(runner, request("cut", 0, prompt, Arrays.copyOf(whole, cut), generation));
                assertThat(rest).as("cut at %d", cut).isEqualTo(Arrays.copyOfRange(whole, cut, whole.length));
            }
        }
    }
}
