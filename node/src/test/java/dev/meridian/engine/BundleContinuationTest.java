package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.ModelSettings.Kernels;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.kernels.KernelLibrary;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.ChatMessage;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Sampled generations of a real model, cut at every token and continued by another engine from what was emitted. With
 * Meridian's own operators the continuation is the undisturbed text, without exception. ONNX Runtime's prefill and decode
 * round differently, so with them it may leave that text, but only where the reference itself was undecided: where its
 * margin was below {@value #UNDECIDED}. Anything else fails.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BundleContinuationTest {
    private static final double UNDECIDED = 1e-3;
    private static final int CONTEXT = 256;

    private final Map<String, LoadedModel> models = new HashMap<>();

    private LoadedModel model(String id, Kernels kernels) {
        return models.computeIfAbsent(
                id + kernels,
                _ -> LoadedModel.open(
                        Bundle.open(Path.of(System.getProperty("meridian.root"), "models", id)),
                        new ModelSettings(1L << 32, 2, CONTEXT, 16, 8, 1, kernels, Fairness.unreserved())));
    }

    @AfterAll
    void close() {
        models.values().forEach(LoadedModel::close);
    }

    private record Run(List<Entry> entries, List<float[]> logits) {}

    private static Run generate(LoadedModel model, SequenceRequest request) throws InterruptedException {
        RecordingRunner runner = new RecordingRunner(model.runner());
        RecordingListener listener = new RecordingListener();
        Engine engine = new Engine(
                "test",
                runner,
                model.vocabulary(),
                model.manifest().eosTokenIds(),
                model.manifest().defaults(),
                new EngineSettings(8, 16, 1L << 32),
                listener,
                () -> 0L);
        assertThat(engine.submit(List.of(request))).isEmpty();
        while (!engine.isIdle()) {
            engine.step();
        }
        return new Run(listener.entries(request.attempt(), request.choice()), runner.rows());
    }

    private static final String QUESTIONS = """
            atlas, 1, What is the capital of Peru?
            atlas, 2, Which currency do people use in Japan?
            atlas, 3, Tell me something about the sea.
            atlas, 4, How much is seven times eight?
            atlas, 5, Hello!
            atlas-int4, 6, Which languages are spoken in Switzerland?
            atlas-int4, 7, What is the capital of Peru?
            atlas-int4, 8, Tell me something about the sea.
            atlas-int4, 9, How much is seven times eight?
            """;

    @ParameterizedTest
    @CsvSource(textBlock = QUESTIONS)
    void cutAnywhereTheTextGoesOn(String id, long seed, String question) throws InterruptedException {
        cutAnywhere(model(id, Kernels.OFF), seed, question);
    }

    @ParameterizedTest
    @CsvSource(textBlock = QUESTIONS)
    void withKernelsCutAnywhereTheTextIsTheSame(String id, long seed, String question) throws InterruptedException {
        KernelLibrary library = KernelLibrary.ofProcess();
        Assumptions.assumeTrue(library instanceof KernelLibrary.Available, library::toString);
        cutAnywhere(model(id, Kernels.AUTO), seed, question);
    }

    private static void cutAnywhere(LoadedModel model, long seed, String question) throws InterruptedException {
        TokenIds prompt =
                ((Encoded.Ids) model.encode(new Prompt.Chat(List.of(new ChatMessage(Role.USER, question))))).ids();
        // Hot enough that the model's sure answers are disturbed, too.
        Sampling sampling = new Sampling(1.5f, 0, 0.98f, null, null, 0.3f, 0f, Map.of(), seed);
        Generation generation = new Generation(sampling, 1, 32, List.of(), -1);
        SequenceRequest whole =
                new SequenceRequest(new Attempt("whole", 1), 0, prompt, TokenIds.empty(), generation, Requests.NEVER);
        Run reference = generate(model, whole);
        int[] tokens = reference.entries().stream().mapToInt(Entry::tokenId).toArray();
        assertThat(tokens).hasSizeGreaterThan(3);
        for (int cut = 1; cut < tokens.length; cut++) {
            int[] emitted = Arrays.copyOf(tokens, cut);
            Run rest = generate(
                    model,
                    new SequenceRequest(whole.attempt(), 0, prompt, TokenIds.of(emitted), generation, Requests.NEVER));
            int[] continued = rest.entries().stream().mapToInt(Entry::tokenId).toArray();
            checkContinuation(model, reference, whole, tokens, cut, continued);
        }
    }

    private static void checkContinuation(
            LoadedModel model, Run reference, SequenceRequest whole, int[] tokens, int cut, int[] continued) {
        if (model.runner().runsRows()) {
            assertThat(continued).as("cut at %d", cut).containsExactly(Arrays.copyOfRange(tokens, cut, tokens.length));
            return;
        }
        for (int i = cut; i < tokens.length; i++) {
            int got = i - cut < continued.length ? continued[i - cut] : -1;
            if (got != tokens[i]) {
                double margin = margin(model, reference, whole, tokens, i);
                assertThat(margin)
                        .as("cut at %d: token %d is %d, not %d, and the margin was", cut, i, got, tokens[i])
                        .isLessThan(UNDECIDED);
                return;
            }
        }
        assertThat(continued).as("cut at %d", cut).hasSize(tokens.length - cut);
    }

    private static double margin(LoadedModel model, Run reference, SequenceRequest whole, int[] generated, int index) {
        int promptLength = whole.promptIds().size();
        int[] all = Arrays.copyOf(whole.promptIds().toArray(), promptLength + index);
        System.arraycopy(generated, 0, all, promptLength, index);
        Sampler sampler = new Sampler(model.runner().vocabSize());
        int token = sampler.sample(
                reference.logits().get(index).clone(),
                SamplerSettings.resolve(
                        whole.generation().sampling(), model.manifest().defaults()),
                all,
                promptLength,
                promptLength + index,
                0);
        assertThat(token).as("the reference's own choice").isEqualTo(generated[index]);
        return sampler.margin();
    }
}
