package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.Bundle;
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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Sampled generations of a real model, cut at every token and continued by another engine from what was emitted. Prefill
 * and decode round differently, so a continuation may leave the undisturbed text, but only where the reference itself was
 * undecided: where its margin was below {@value #UNDECIDED}. Anything else fails.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BundleContinuationTest {
    private static final double UNDECIDED = 1e-3;
    private static final int CONTEXT = 256;

    private final LoadedModel model = LoadedModel.open(
            Bundle.open(Path.of(System.getProperty("meridian.root"), "models", "atlas")),
            new ModelSettings(1L << 32, 2, CONTEXT, 16, 8, 1));

    @AfterAll
    void close() {
        model.close();
    }

    private record Run(List<Entry> entries, List<float[]> logits) {}

    private Run generate(SequenceRequest request) throws InterruptedException {
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

    @ParameterizedTest
    @CsvSource({
        "1, What is the capital of Peru?",
        "2, Which currency do people use in Japan?",
        "3, Tell me something about the sea.",
        "4, How much is seven times eight?",
        "5, Hello!",
        "6, Which languages are spoken in Switzerland?"
    })
    void cutAnywhereTheTextGoesOn(long seed, String question) throws InterruptedException {
        TokenIds prompt =
                ((Encoded.Ids) model.encode(new Prompt.Chat(List.of(new ChatMessage(Role.USER, question))))).ids();
        // Hot enough that the model's sure answers are disturbed, too.
        Sampling sampling = new Sampling(1.5f, 0, 0.98f, null, null, 0.3f, 0f, Map.of(), seed);
        Generation generation = new Generation(sampling, 1, 32, List.of(), -1);
        SequenceRequest whole =
                new SequenceRequest(new Attempt("whole", 1), 0, prompt, TokenIds.empty(), generation, Requests.NEVER);
        Run reference = generate(whole);
        int[] tokens = reference.entries().stream().mapToInt(Entry::tokenId).toArray();
        for (int cut = 1; cut < tokens.length; cut++) {
            int[] emitted = java.util.Arrays.copyOf(tokens, cut);
            Run rest = generate(
                    new SequenceRequest(whole.attempt(), 0, prompt, TokenIds.of(emitted), generation, Requests.NEVER));
            int[] continued = rest.entries().stream().mapToInt(Entry::tokenId).toArray();
            checkContinuation(reference, whole, tokens, cut, continued);
        }
    }

    private void checkContinuation(Run reference, SequenceRequest whole, int[] tokens, int cut, int[] continued) {
        for (int i = cut; i < tokens.length; i++) {
            int got = i - cut < continued.length ? continued[i - cut] : -1;
            if (got != tokens[i]) {
                double margin = margin(reference, whole, tokens, i);
                assertThat(margin)
                        .as("cut at %d: token %d is %d, not %d, and the margin was", cut, i, got, tokens[i])
                        .isLessThan(UNDECIDED);
                return;
            }
        }
        assertThat(continued).as("cut at %d", cut).hasSize(tokens.length - cut);
    }

    private double margin(Run reference, SequenceRequest whole, int[] generated, int index) {
        int promptLength = whole.promptIds().size();
        int[] all = java.util.Arrays.copyOf(whole.promptIds().toArray(), promptLength + index);
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
