package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What is kept, for whom, and who gives way. The engine is stepped by hand; a position takes ten bytes. */
class PrefixCacheTest {
    private static final String SYSTEM = "you are a helpful assistant; ";
    private static final PrefixCaching ON = new PrefixCaching(true, 0, false);
    private static final int SLOTS = 3;

    private final RecordingListener listener = new RecordingListener();
    private ScriptedRunner runner = new ScriptedRunner(LetterVocabulary.SIZE, SLOTS, 200, ScriptedRunner.hashing());
    private Engine engine = engine(ON, 1 << 20);

    private Engine engine(PrefixCaching caching, long budgetTokens) {
        return new Engine(
                "test",
                runner,
                new LetterVocabulary(),
                List.of(),
                SamplingDefaults.none(),
                new EngineSettings(64, 100, runner.kvBytes((int) budgetTokens), Fairness.unpaced(), caching, 0),
                listener,
                () -> 0);
    }

    private static SequenceRequest request(String id, long scope, String prompt, int choices, int tokens) {
        return new SequenceRequest(
                new Attempt(id, 1),
                0,
                TokenIds.of(LetterVocabulary.ids(prompt)),
                TokenIds.empty(),
                new Generation(Sampling.greedy(), choices, tokens, List.of(), -1),
                scope,
                Requests.NEVER);
    }

    private void submit(SequenceRequest request) {
        List<SequenceRequest> choices = java.util.stream.IntStream.range(
                        0, request.generation().choices())
                .mapToObj(choice -> new SequenceRequest(
                        request.attempt(),
                        choice,
                        request.promptIds(),
                        request.emitted(),
                        request.generation(),
                        request.cacheScope(),
                        request.deadlineNanos()))
                .toList();
        assertThat(engine.submit(choices)).isEmpty();
    }

    private void finish() throws InterruptedException {
        while (!engine.isIdle()) {
            engine.step();
            assertThat(listener.failures()).isEmpty();
        }
    }

    /** Runs a request to its end and gives how many tokens of its prompt were cached. */
    private int cached(String id, long scope, String prompt, int tokens) throws InterruptedException {
        submit(request(id, scope, prompt, 1, tokens));
        finish();
        return cachedBy(id, 0);
    }

    private int cachedBy(String id, int choice) {
        List<Entry> entries = listener.entries(new Attempt(id, 1), choice);
        assertThat(entries.getLast().finish()).isEqualTo(FinishReason.LENGTH);
        int first = Objects.requireNonNull(entries.getFirst().timings()).cachedTokens();
        assertThat(Objects.requireNonNull(entries.getLast().timings()).cachedTokens())
                .isEqualTo(first);
        return first;
    }

    private String text(String id) {
        return listener.text(new Attempt(id, 1), 0);
    }

    @Test
    void aPromptThatWasRunBeforeIsNotRunAgainButForItsLastToken() throws InterruptedException {
        assertThat(cached("a", 7, SYSTEM + "hi", 30)).isZero();
        assertThat(cached("b", 7, SYSTEM + "hi", 30)).isEqualTo(SYSTEM.length() + 1);
        assertThat(runner.calls()).contains("prefill 0@" + (SYSTEM.length() + 1) + "+1");
        assertThat(text("b")).isEqualTo(text("a"));
        assertThat(engine.stats().cachedTokens()).isEqualTo(SYSTEM.length() + 1);
        assertThat(engine.stats().prefillTokens()).isEqualTo(SYSTEM.length() + 2 + 1);
    }

    @Test
    void aTalkThatGoesOnTakesItsSlotOverWithoutAnyCopy() throws InterruptedException {
        String prompt = SYSTEM + "hi";
        for (int turn = 0; turn < 4; turn++) {
            // All but the token that was generated last, which nobody ran.
            int known = turn == 0 ? 0 : prompt.length() - 2;
            assertThat(cached("turn" + turn, 7, prompt, 10)).isEqualTo(known);
            prompt += text("turn" + turn) + "?";
        }
        assertThat(runner.copies() + runner.moves() + runner.swaps()).isZero();
        assertThat(runner.filled().subList(1, SLOTS)).containsOnly(0);
    }

    @Test
    void whatOthersMayNeedIsCopied() throws InterruptedException {
        cached("a", 7, SYSTEM + "what is the capital of Peru?", 5);
        assertThat(cached("b", 7, SYSTEM + "and how are you?", 5)).isEqualTo(SYSTEM.length());
        assertThat(runner.copies()).isEqualTo(1);
        assertThat(cached("a2", 7, SYSTEM + "what is the capital of Peru?", 5))
                .isEqualTo((SYSTEM + "what is the capital of Peru?").length() - 1);
    }

    @Test
    void nobodySeesWhatAnotherScopeLeft() throws InterruptedException {
        cached("a", 7, SYSTEM + "hi", 30);
        assertThat(cached("b", 8, SYSTEM + "hi", 30)).isZero();
        assertThat(cached("c", 7, SYSTEM + "hi", 30)).isEqualTo(SYSTEM.length() + 1);
    }

    @Test
    void scopesShareWhereTheyAreToldTo() throws InterruptedException {
        engine = engine(new PrefixCaching(true, 0, true), 1 << 20);
        cached("a", 7, SYSTEM + "hi", 30);
        assertThat(cached("b", 8, SYSTEM + "hi", 30)).isEqualTo(SYSTEM.length() + 1);
    }

    @Test
    void fewCommonTokensAreRunAgain() throws InterruptedException {
        String fifteen = "a".repeat(PrefixCache.LEAST_TOKENS - 1);
        cached("a", 7, fifteen + "b".repeat(20), 5);
        assertThat(cached("b", 7, fifteen + "c".repeat(20), 5)).isZero();
        assertThat(cached("c", 7, fifteen + "bd", 5)).isEqualTo(PrefixCache.LEAST_TOKENS);
    }

    @Test
    void nothingIsKeptWhereItIsOff() throws InterruptedException {
        engine = engine(PrefixCaching.off(), 1 << 20);
        cached("a", 7, SYSTEM, 30);
        assertThat(runner.kvBytesNow()).isZero();
        submit(request("b", 7, SYSTEM, 3, 30));
        finish();
        assertThat(cachedBy("b", 2)).isZero();
        assertThat(runner.copies()).isZero();
        assertThat(engine.stats().cachedTokens()).isZero();
    }

    @Test
    void nothingIsKeptByARunnerThatCannotCopy() throws InterruptedException {
        runner.copyNothing();
        engine = engine(ON, 1 << 20);
        cached("a", 7, SYSTEM, 30);
        assertThat(runner.kvBytesNow()).isZero();
        assertThat(cached("b", 7, SYSTEM, 30)).isZero();
    }

    @Test
    void choicesShareTheirPromptAndCountItOnce() throws InterruptedException {
        submit(request("a", 7, SYSTEM + "hi", 3, 20));
        finish();
        assertThat(List.of(cachedBy("a", 0), cachedBy("a", 1), cachedBy("a", 2)))
                .containsOnly(0);
        assertThat(engine.stats().prefillTokens()).isEqualTo(SYSTEM.length() + 2 + 2);
        assertThat(runner.copies()).isEqualTo(2);

        submit(request("b", 7, SYSTEM + "hi", 3, 20));
        finish();
        assertThat(List.of(cachedBy("b", 0), cachedBy("b", 1), cachedBy("b", 2)))
                .containsOnly(SYSTEM.length() + 1);
    }

    @Test
    void whatRunsIsSharedAsWell() throws InterruptedException {
        submit(request("a", 7, SYSTEM + "tell me a story", 1, 100));
        engine.step();
        engine.step();
        submit(request("b", 7, SYSTEM + "tell me a joke", 1, 5));
        finish();
        assertThat(cachedBy("b", 0)).isEqualTo((SYSTEM + "tell me a ").length());
    }

    @Test
    void whatIsKeptGivesItsSlotToWhoeverWaits() throws InterruptedException {
        for (String id : List.of("a", "b", "c")) {
            cached(id, 7, id.repeat(30), 5);
        }
        assertThat(engine.scheduler().cache().size()).isEqualTo(SLOTS);
        cached("b2", 7, "b".repeat(30), 5);
        submit(request("d", 7, "d".repeat(30), 1, 50));
        submit(request("e", 7, "e".repeat(30), 1, 50));
        engine.step();
        assertThat(engine.stats().waiting()).isZero();
        assertThat(engine.scheduler().cache().size()).isEqualTo(1);
        submit(request("b3", 7, "b".repeat(30), 1, 1));
        finish();
        assertThat(cachedBy("b3", 0)).as("what was used last stays longest").isEqualTo(29);
    }

    @Test
    void furtherSlotsHoldWhatIsKeptWhileAllOthersAreTaken() throws InterruptedException {
        runner = new ScriptedRunner(LetterVocabulary.SIZE, 1, 2, 200, ScriptedRunner.hashing());
        engine = engine(new PrefixCaching(true, 2, false), 1 << 20);
        for (String id : List.of("a", "b")) {
            cached(id, 7, id.repeat(30), 5);
        }
        assertThat(cached("c", 7, "c".repeat(30), 5)).isZero();
        assertThat(cached("a2", 7, "a".repeat(30), 5)).isEqualTo(29);
        assertThat(cached("b2", 7, "b".repeat(30), 5)).isEqualTo(29);
        assertThat(cached("c2", 7, "c".repeat(30), 5)).isEqualTo(29);
    }

    @Test
    void whatIsKeptGivesItsMemoryPieceByPiece() throws InterruptedException {
        engine = engine(ON, 140);
        cached("a", 7, "a".repeat(96), 5);
        submit(request("b", 7, "b".repeat(42), 1, 50));
        engine.step();
        assertThat(engine.stats().keptBytes()).isEqualTo(runner.kvBytes(96));
        for (int i = 0; i < 3; i++) {
            engine.step();
        }
        assertThat(engine.stats().keptBytes()).isEqualTo(runner.kvBytes(64));
        finish();
        assertThat(engine.stats().preemptions()).isZero();
        assertThat(runner.mostKvBytes()).isLessThanOrEqualTo(runner.kvBytes(140));
        assertThat(cached("a2", 7, "a".repeat(96), 1)).isEqualTo(32);
    }

    @Test
    void whoGaveItsSlotUpFindsWhatIsLeftOfIt() throws InterruptedException {
        engine = engine(ON, 120);
        submit(request("a", 7, "a".repeat(40), 1, 40));
        submit(request("b", 7, "b".repeat(40), 1, 70));
        finish();
        assertThat(engine.stats().preemptions()).isPositive();
        assertThat(engine.stats().cachedTokens()).isPositive();
        assertThat(cachedBy("a", 0) + cachedBy("b", 0)).as("before they began").isZero();
    }

    @Test
    void aCancelledPromptIsKeptAsFarAsItWasRun() throws InterruptedException {
        submit(request("a", 7, "a".repeat(150), 1, 5));
        engine.step();
        engine.cancel(new Attempt("a", 1));
        finish();
        assertThat(engine.stats().keptBytes()).isEqualTo(runner.kvBytes(100));
        assertThat(cached("b", 7, "a".repeat(150), 5)).isEqualTo(100);
    }

    @Test
    void anAttemptThatGoesOnFindsWhatTheOneBeforeItLeft() throws InterruptedException {
        SequenceRequest whole = request("a", 7, SYSTEM, 1, 40);
        submit(whole);
        for (int i = 0; i < 21; i++) {
            engine.step();
        }
        engine.cancel(whole.attempt());
        finish();
        int[] emitted = listener.entries(whole.attempt(), 0).stream()
                .mapToInt(Entry::tokenId)
                .toArray();
        assertThat(emitted).hasSize(21);
        long before = engine.stats().prefillTokens();
        SequenceRequest second = new SequenceRequest(
                new Attempt("a", 2),
                0,
                whole.promptIds(),
                TokenIds.of(emitted),
                whole.generation(),
                whole.cacheScope(),
                Requests.NEVER);
        submit(second);
        finish();
        assertThat(engine.stats().prefillTokens() - before).isEqualTo(1);
        assertThat(listener.entries(second.attempt(), 0)).hasSize(19);
        cached("same", 8, SYSTEM, 40);
        assertThat(text("a") + listener.text(second.attempt(), 0)).isEqualTo(text("same"));
    }

    @Test
    void nothingIsLeftOfAnEngineThatIsClosed() throws InterruptedException {
        cached("a", 7, SYSTEM, 30);
        assertThat(runner.kvBytesNow()).isPositive();
        engine.close();
        assertThat(engine.step()).isFalse();
        assertThat(runner.kvBytesNow()).isZero();
    }
}
