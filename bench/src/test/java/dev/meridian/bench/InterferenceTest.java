package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.LetterVocabulary;
import dev.meridian.engine.ScriptedRunner;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class InterferenceTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int CONTEXT = 60_000;

    private final Engines engines = new Engines();

    @AfterEach
    void closeEngines() {
        engines.close();
    }

    private Interference over(ScriptedRunner runner, Interference.Plan plan) {
        return new Interference(LetterVocabulary.SIZE, plan, engines.over(runner, 32), PATIENCE);
    }

    /** The logits do not look at what was seen: contexts become long here. */
    private static ScriptedRunner runner(int slots, int context) {
        return new ScriptedRunner(LetterVocabulary.SIZE, slots, context, (_, into) -> into['x'] = 1f);
    }

    @Test
    void measuresStreamsByThemselvesAndBesidePrompts() {
        Interference.Result result =
                over(runner(3, CONTEXT), new Interference.Plan(2, 20, 100, 3)).measure();

        // 20 of each of two streams before the prompts, and as many after them.
        assertThat(result.idle().gaps()).isGreaterThanOrEqualTo(80);
        // The prompts come one after the other, each in several steps.
        assertThat(result.loaded().gaps()).isGreaterThanOrEqualTo(2 * 3 * 3);
        assertThat(result.idle().p50Millis())
                .isPositive()
                .isLessThanOrEqualTo(result.idle().p99Millis());
        assertThat(result.loaded().p99Millis())
                .isLessThanOrEqualTo(result.loaded().maxMillis());
        assertThat(result.promptTokensPerSecond()).isPositive();
        assertThat(result.alonePromptTokensPerSecond()).isPositive();
    }

    @Test
    void aStreamThatEndsBeforeThePromptsIsAFailure() {
        assertThatThrownBy(() -> over(runner(3, 120), new Interference.Plan(2, 200, 100, 3))
                        .measure())
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("a stream ended by LENGTH");
    }

    @Test
    void aFailedEngineEndsTheMeasurement() {
        ScriptedRunner runner = runner(3, CONTEXT);
        AtomicInteger passes = new AtomicInteger();
        runner.beforeStep(() -> {
            if (passes.incrementAndGet() == 30) {
                throw new IllegalStateException("out of memory in MatMul");
            }
        });

        assertThatThrownBy(
                        () -> over(runner, new Interference.Plan(2, 20, 100, 3)).measure())
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("out of memory in MatMul");
    }
}
