package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.Timings;
import dev.meridian.protocol.TokenIds;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineTest {
    private static final EngineSettings ROOMY = new EngineSettings(64, 8, 1 << 20);

    private final RecordingListener listener = new RecordingListener();
    private final AtomicLong clock = new AtomicLong();
    private Engine engine = unstarted();

    private Engine unstarted() {
        return start(replying("x", "never used"), ROOMY);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private static ScriptedRunner replying(String prompt, String reply) {
        return new ScriptedRunner(
                LetterVocabulary.SIZE,
                4,
                100,
                ScriptedRunner.replying(prompt.length(), LetterVocabulary.ids(reply), LetterVocabulary.END));
    }

    private Engine start(ScriptedRunner runner, EngineSettings settings) {
        return Engine.start(
                "test",
                runner,
                new LetterVocabulary(),
                List.of(LetterVocabulary.END),
                SamplingDefaults.none(),
                settings,
                listener,
                clock::get);
    }

    private static Generation greedy(int maxTokens, String... stop) {
        return new Generation(Sampling.greedy(), 1, maxTokens, List.of(stop), -1);
    }

    private SequenceRequest submit(SequenceRequest request) {
        assertThat(engine.submit(List.of(request))).isEmpty();
        return request;
    }

    @Test
    void generatesUntilTheEndToken() {
        engine = start(replying("hello", "world"), ROOMY);
        SequenceRequest request = submit(Requests.greedy("a", "hello", 0));
        listener.awaitFinish(request.attempt(), 0);

        assertThat(listener.text(request.attempt(), 0)).isEqualTo("world");
        List<Entry> entries = listener.entries(request.attempt(), 0);
        assertThat(entries).extracting(Entry::index).containsExactly(0, 1, 2, 3, 4, 5);
        assertThat(entries.getLast().finish()).isEqualTo(FinishReason.STOP);
        assertThat(entries)
                .filteredOn(entry -> entry.timings() != null)
                .extracting(Entry::index)
                .containsExactly(0, 5);
        Timings first = Objects.requireNonNull(entries.getFirst().timings());
        Timings whole = Objects.requireNonNull(entries.getLast().timings());
        assertThat(whole).isEqualTo(new Timings(first.queueMicros(), first.prefillMicros(), whole.decodeMicros(), 0));
        assertThat(first.decodeMicros()).isZero();
    }

    @Test
    void stopsAtMaxTokens() {
        engine = start(replying("hello", "world"), ROOMY);
        SequenceRequest request = submit(Requests.greedy("a", "hello", 3));
        listener.awaitFinish(request.attempt(), 0);

        assertThat(listener.text(request.attempt(), 0)).isEqualTo("wor");
        assertThat(listener.entries(request.attempt(), 0).getLast().finish()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void stopsWhereTheContextIsFull() {
        String prompt = "p".repeat(95);
        engine = start(replying(prompt, "abcdefghij"), ROOMY);
        SequenceRequest request = submit(Requests.greedy("a", prompt, 0));
        listener.awaitFinish(request.attempt(), 0);

        assertThat(listener.text(request.attempt(), 0)).isEqualTo("abcde");
        assertThat(listener.entries(request.attempt(), 0).getLast().finish()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void neverEmitsAStopText() {
        engine = start(replying("hello", "one two three"), ROOMY);
        SequenceRequest request = submit(Requests.of("a", "hello", greedy(0, "two", "tw!")));
        listener.awaitFinish(request.attempt(), 0);

        assertThat(listener.text(request.attempt(), 0)).isEqualTo("one ");
        assertThat(listener.entries(request.attempt(), 0).getLast().finish()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void givesOutWhatItHeldBackForAStopThatNeverCame() {
        engine = start(replying("hello", "one tw"), ROOMY);
        SequenceRequest request = submit(Requests.of("a", "hello", greedy(0, "two")));
        listener.awaitFinish(request.attempt(), 0);

        assertThat(listener.text(request.attempt(), 0)).isEqualTo("one tw");
    }

    @Test
    void prefillsLongPromptsInChunksBetweenDecodeSteps() throws Exception {
        String prompt = "p".repeat(30);
        ScriptedRunner runner =
                new ScriptedRunner(LetterVocabulary.SIZE, 4, 100, ScriptedRunner.replying(0, new int[0], 'w'));
        Semaphore steps = new Semaphore(0);
        runner.beforeStep(steps::acquireUninterruptibly);
        engine = start(runner, ROOMY);
        SequenceRequest shortOne = submit(Requests.greedy("a", "hello", 20));
        steps.release(2);
        listener.await(
                "two tokens", () -> listener.entries(shortOne.attempt(), 0).size() == 2);
        submit(Requests.greedy("b", prompt, 2));
        steps.release(1000);
        listener.awaitFinish(new Attempt("b", 1), 0);

        List<String> calls = runner.calls();
        int first = calls.indexOf("prefill 1@0+8");
        assertThat(calls.subList(first, first + 7))
                .containsExactly(
                        "prefill 1@0+8",
                        "decode 1",
                        "prefill 1@8+8",
                        "decode 1",
                        "prefill 1@16+8",
                        "decode 1",
                        "prefill 1@24+6");
    }

    @Test
    void cancelFreesTheSlotBeforeTheNextStep() throws Exception {
        ScriptedRunner runner = replying("hello", "w".repeat(90));
        Semaphore steps = new Semaphore(0);
        runner.beforeStep(steps::acquireUninterruptibly);
        engine = start(runner, ROOMY);
        SequenceRequest request = submit(Requests.greedy("a", "hello", 0));
        steps.release(3);
        listener.await(
                "three tokens", () -> listener.entries(request.attempt(), 0).size() == 3);
        engine.cancel(request.attempt());
        // The engine may be inside the fourth step already; there is no fifth.
        steps.release(1000);
        SequenceRequest next = submit(Requests.greedy("b", "hello", 2));
        listener.awaitFinish(next.attempt(), 0);

        assertThat(listener.entries(request.attempt(), 0)).hasSizeLessThanOrEqualTo(4);
        assertThat(runner.kvBytesNow()).isZero();
    }

    @Test
    void refusesOnceTheDeadlineHasPassed() throws Exception {
        ScriptedRunner runner = replying("hello", "w".repeat(90));
        Semaphore steps = new Semaphore(0);
        runner.beforeStep(steps::acquireUninterruptibly);
        engine = start(runner, ROOMY);
        SequenceRequest request = new SequenceRequest(
                new Attempt("a", 1), 0, TokenIds.of(LetterVocabulary.ids("hello")), TokenIds.empty(), greedy(0), 1_000);
        submit(request);
        steps.release(2);
        listener.await(
                "two tokens", () -> listener.entries(request.attempt(), 0).size() == 2);
        clock.set(1_000);
        steps.release(1);

        assertThat(listener.awaitRefusal(request.attempt())).isEqualTo(new Refusal.DeadlineExceeded());
    }

    @Test
    void refusesMoreThanTheQueueHolds() {
        // Nothing leaves the queue while the first step waits for a permit.
        ScriptedRunner runner = replying("hello", "w".repeat(90));
        Semaphore steps = new Semaphore(0);
        runner.beforeStep(steps::acquireUninterruptibly);
        engine = start(runner, new EngineSettings(2, 8, 1 << 20));
        Generation three = new Generation(Sampling.greedy(), 3, 0, List.of(), -1);
        SequenceRequest choice = Requests.of("a", "hello", three);

        SequenceRequest lone = Requests.greedy("b", "hello", 0);
        assertThat(engine.submit(List.of(lone, lone))).isEmpty();

        assertThat(engine.submit(List.of(lone))).contains(new Refusal.QueueFull(2));
        assertThat(engine.submit(List.of(choice, choice, choice)))
                .contains(new Refusal.InvalidRequest("n", "3 choices are more than the queue of 2 holds"));
        steps.release(1000);
    }

    @Test
    void refusesWhatCanNeverFit() {
        engine = start(replying("x", "y"), new EngineSettings(4, 8, 200));

        assertThat(engine.submit(List.of(Requests.greedy("a", "p".repeat(100), 1))))
                .contains(new Refusal.PromptTooLong(100, true, 100));
        assertThat(engine.submit(List.of(Requests.greedy("a", "p".repeat(50), 1))))
                .contains(new Refusal.KvBudgetExceeded(510, 200));
        assertThat(engine.submit(List.of(Requests.greedy("a", "", 1))))
                .contains(new Refusal.InvalidRequest("prompt", "the prompt has no token"));
        Sampling bias = new Sampling(0f, null, null, null, null, 0f, 0f, Map.of(128, 1f), 0);
        assertThat(engine.submit(List.of(Requests.of("a", "x", new Generation(bias, 1, 1, List.of(), -1)))))
                .contains(new Refusal.InvalidRequest("logit_bias", "token id 128 is outside the vocabulary of 128"));
    }

    @Test
    void refusesSamplingThatWouldBreakTheModelForAll() {
        engine = start(replying("hello", "world"), ROOMY);
        float[][] bad = {{0f, 1e-40f}, {0f, 0f}, {0f, Float.NaN}, {-1f, 1f}, {Float.POSITIVE_INFINITY, 1f}, {3f, 1f}};
        for (float[] pair : bad) {
            Sampling sampling = new Sampling(pair[0], null, null, null, pair[1], 0f, 0f, Map.of(), 0);
            assertThat(engine.submit(List.of(Requests.of("a", "hello", new Generation(sampling, 1, 1, List.of(), -1)))))
                    .as("temperature %s, repetition penalty %s", pair[0], pair[1])
                    .hasValueSatisfying(refusal -> assertThat(refusal).isInstanceOf(Refusal.InvalidRequest.class));
        }
        Sampling icy = new Sampling(1e-40f, null, null, null, 0.01f, 0f, 0f, Map.of(), 0);
        SequenceRequest request = submit(Requests.of("b", "hello", new Generation(icy, 1, 3, List.of(), -1)));
        listener.awaitFinish(request.attempt(), 0);
        assertThat(listener.failures()).isEmpty();
    }

    @Test
    void refusesEmittedTokensOutsideTheVocabulary() {
        engine = start(replying("hello", "world"), ROOMY);
        SequenceRequest request = new SequenceRequest(
                new Attempt("a", 2),
                0,
                TokenIds.of(LetterVocabulary.ids("hello")),
                TokenIds.of(LetterVocabulary.SIZE),
                greedy(0),
                Requests.NEVER);
        assertThat(engine.submit(List.of(request)))
                .hasValueSatisfying(refusal -> assertThat(refusal).isInstanceOf(Refusal.InvalidRequest.class));
    }

    @Test
    void whatAFailingStepHadMadeIsNotLost() {
        ScriptedRunner runner = replying("hello", "w");
        Semaphore steps = new Semaphore(0);
        java.util.concurrent.atomic.AtomicInteger passes = new java.util.concurrent.atomic.AtomicInteger();
        runner.beforeStep(() -> {
            steps.acquireUninterruptibly();
            if (passes.incrementAndGet() == 3) {
                throw new IllegalStateException("broken");
            }
        });
        engine = start(runner, ROOMY);
        SequenceRequest first = submit(Requests.greedy("a", "hello", 0));
        steps.release(1);
        listener.await("a token", () -> listener.entries(first.attempt(), 0).size() == 1);
        SequenceRequest second = submit(Requests.greedy("b", "hello", 0));
        // The second pass gives the first sequence its last token; the third, of the same step or the next, breaks.
        steps.release(10);
        listener.await("the failure", () -> !listener.failures().isEmpty());

        assertThat(listener.finished(first.attempt(), 0)).isTrue();
        assertThat(listener.awaitRefusal(second.attempt())).isInstanceOf(Refusal.EngineFailed.class);
    }

    @Test
    void aBrokenRunnerRefusesAllThatIsLive() {
        ScriptedRunner runner = replying("hello", "world");
        runner.beforeStep(() -> {
            throw new IllegalStateException("broken");
        });
        engine = start(runner, ROOMY);
        engine.submit(List.of(Requests.greedy("a", "hello", 0)));
        listener.await("the failure", () -> !listener.failures().isEmpty());

        assertThat(listener.awaitRefusal(new Attempt("a", 1))).isInstanceOf(Refusal.EngineFailed.class);
        assertThat(engine.submit(List.of(Requests.greedy("b", "hello", 0))))
                .hasValueSatisfying(refusal -> assertThat(refusal).isInstanceOf(Refusal.EngineFailed.class));
    }

    @Test
    void reportsLogprobsOfTheModelsOwnDistribution() {
        engine = start(replying("hello", "world"), ROOMY);
        Sampling forced = new Sampling(0f, null, null, null, null, 0f, 0f, Map.of((int) 'z', 100f), 0);
        SequenceRequest request = submit(Requests.of("a", "hello", new Generation(forced, 1, 1, List.of(), 2)));
        listener.awaitFinish(request.attempt(), 0);

        Entry entry = listener.entries(request.attempt(), 0).getFirst();
        double logSum = Math.log(Math.exp(10) + 127);
        assertThat(entry.text()).isEqualTo("z");
        assertThat(entry.logprob()).isNotNull().satisfies(logprob -> {
            assertThat(logprob.text()).isEqualTo("z");
            assertThat(logprob.bytes()).isEqualTo("7a");
            assertThat((double) logprob.logprob()).isCloseTo(-logSum, org.assertj.core.data.Offset.offset(1e-4));
        });
        assertThat(entry.alternatives()).hasSize(2);
        assertThat(entry.alternatives().getFirst().text()).isEqualTo("w");
        assertThat((double) entry.alternatives().getFirst().logprob())
                .isCloseTo(10 - logSum, org.assertj.core.data.Offset.offset(1e-4));
    }
}
