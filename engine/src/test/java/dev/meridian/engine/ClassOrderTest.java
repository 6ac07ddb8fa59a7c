package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Sampling;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which class of requests prefill and KV memory go to, on an engine that is stepped by hand with a clock that stands still. */
class ClassOrderTest {
    private static final int CHUNK = 4;
    private static final String LONG_PROMPT = "abcdefgh".repeat(5);
    private static final String SHORT_PROMPT = "hgfedcba";

    private final RecordingListener listener = new RecordingListener();

    private static ScriptedRunner runner(int slots) {
        return new ScriptedRunner(LetterVocabulary.SIZE, slots, 100, ScriptedRunner.hashing());
    }

    private static Engine engine(ScriptedRunner runner, int kvTokens, StepListener listener) {
        return new Engine(
                "ordered",
                runner,
                new LetterVocabulary(),
                List.of(),
                SamplingDefaults.none(),
                new EngineSettings(16, CHUNK, runner.kvBytes(kvTokens)),
                listener,
                () -> 0);
    }

    private static SequenceRequest request(String id, String prompt, int maxTokens, Priority priority) {
        return Requests.of(id, prompt, new Generation(Sampling.greedy(), 1, maxTokens, List.of(), -1, priority));
    }

    private static String alone(SequenceRequest request) throws InterruptedException {
        RecordingListener own = new RecordingListener();
        Engine engine = engine(runner(1), 100, own);
        assertThat(engine.submit(List.of(request))).isEmpty();
        while (!engine.isIdle()) {
            engine.step();
        }
        return own.text(request.attempt(), 0);
    }

    private int given(SequenceRequest request) {
        return listener.entries(request.attempt(), 0).size();
    }

    private void assertEndsAsAlone(Engine engine, SequenceRequest... requests) throws InterruptedException {
        for (int steps = 0; !engine.isIdle(); steps++) {
            assertThat(steps).as("steps until all ended").isLessThan(1000);
            engine.step();
        }
        for (SequenceRequest request : requests) {
            assertThat(listener.text(request.attempt(), 0)).isEqualTo(alone(request));
        }
        assertThat(listener.failures()).isEmpty();
    }

    @Test
    void aPromptThatSomebodyWaitsForOvertakesALongOneInTheBackground() throws InterruptedException {
        ScriptedRunner runner = runner(3);
        Engine engine = engine(runner, 300, listener);
        SequenceRequest flex = request("flex", LONG_PROMPT, 5, Priority.FLEX);
        SequenceRequest urgent = request("urgent", SHORT_PROMPT, 5, Priority.PRIORITY);
        engine.submit(List.of(flex));
        engine.step();
        engine.step();
        engine.submit(List.of(urgent));
        int steps = 0;
        while (given(urgent) == 0) {
            engine.step();
            steps++;
        }
        assertThat(steps).as("a chunk a step: nothing came in between").isEqualTo(SHORT_PROMPT.length() / CHUNK);
        assertThat(given(flex)).isZero();
        assertThat(runner.swaps())
                .as("the overtaker takes row 0, where the other waits")
                .isEqualTo(1);
        assertEndsAsAlone(engine, flex, urgent);
        assertThat(engine.stats().preemptions()).isZero();
    }

    @Test
    void onlyAsManyAsThereAreSlotsAreInPrefill() throws InterruptedException {
        ScriptedRunner runner = runner(1);
        Engine engine = engine(runner, 300, listener);
        SequenceRequest flex = request("flex", LONG_PROMPT, 5, Priority.FLEX);
        SequenceRequest urgent = request("urgent", SHORT_PROMPT, 5, Priority.PRIORITY);
        engine.submit(List.of(flex));
        engine.step();
        engine.submit(List.of(urgent));
        assertEndsAsAlone(engine, flex, urgent);
        assertThat(engine.stats().preemptions()).isZero();
    }

    @Test
    void aLongPromptInTheBackgroundGoesOnWhileOthersKeepComing() throws InterruptedException {
        Engine engine = engine(runner(4), 400, listener);
        SequenceRequest flex = request("flex", LONG_PROMPT, 1, Priority.FLEX);
        engine.submit(List.of(flex));
        int steps = 0;
        for (int number = 0; given(flex) == 0; number++) {
            SequenceRequest next = request("urgent" + number, SHORT_PROMPT, 1, Priority.PRIORITY);
            engine.submit(List.of(next));
            while (given(next) == 0) {
                engine.step();
                steps++;
                assertThat(steps).as("steps without the background's token").isLessThan(400);
            }
        }
        // Weights of 16 to 1: 40 tokens in the background stand for 640 of the others, in chunks of 4.
        assertThat(steps).isBetween(140, 200);
        assertEndsAsAlone(engine, flex);
    }

    @Test
    void memoryIsGivenUpByTheClassAheadOfItsShareThoughItCameFirst() throws InterruptedException {
        ScriptedRunner runner = runner(4);
        Engine engine = engine(runner, 60, listener);
        SequenceRequest flex = request("flex", SHORT_PROMPT, 40, Priority.FLEX);
        SequenceRequest urgent = request("urgent", SHORT_PROMPT, 40, Priority.PRIORITY);
        engine.submit(List.of(flex));
        while (given(flex) < 10) {
            engine.step();
        }
        engine.submit(List.of(urgent));
        while (engine.stats().preemptions() == 0) {
            engine.step();
        }
        assertThat(runner.kvBytesNow())
                .as("the urgent one stays")
                .isEqualTo(runner.kvBytes(SHORT_PROMPT.length() + given(urgent) - 1));
        while (!listener.finished(new Attempt("urgent", 1), 0)) {
            engine.step();
        }
        assertThat(listener.finished(flex.attempt(), 0)).isFalse();
        assertThat(engine.stats().preemptions()).isEqualTo(1);
        assertEndsAsAlone(engine, flex, urgent);
    }

    @Test
    void insideAClassTheYoungestGivesMemoryUp() throws InterruptedException {
        Engine engine = engine(runner(4), 60, listener);
        SequenceRequest older = request("older", SHORT_PROMPT, 40, Priority.STANDARD);
        SequenceRequest younger = request("younger", SHORT_PROMPT, 40, Priority.STANDARD);
        engine.submit(List.of(older));
        engine.submit(List.of(younger));
        while (!listener.finished(older.attempt(), 0)) {
            engine.step();
        }
        assertThat(listener.finished(younger.attempt(), 0)).isFalse();
        assertThat(engine.stats().preemptions()).isPositive();
        assertEndsAsAlone(engine, older, younger);
    }
}
