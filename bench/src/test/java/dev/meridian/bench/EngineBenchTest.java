package dev.meridian.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.LetterVocabulary;
import dev.meridian.engine.ScriptedRunner;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
final class EngineBenchTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Engines engines = new Engines();

    @AfterEach
    void closeEngines() {
        engines.close();
    }

    private static ScriptedRunner runner(int slots, int context) {
        return new ScriptedRunner(LetterVocabulary.SIZE, slots, context, ScriptedRunner.hashing());
    }

    private EngineBench bench(ScriptedRunner runner, EnginePlan plan, Duration patience) {
        return new EngineBench(runner, plan, engines.over(runner, plan.chunk()), patience);
    }

    @Test
    void measuresPrefillAndEveryBatchSize() {
        EnginePlan plan = EnginePlan.within(512, List.of(1, 3), 64, 8, 32, 2);
        ScriptedRunner runner = runner(3, plan.contextTokens());

        List<EngineReport.Row> rows = bench(runner, plan, PATIENCE).measure();

        assertThat(rows)
                .extracting(EngineReport.Row::name)
                .containsExactly("prefill of 64", "decode, 1 sequence", "decode, 3 sequences");
        assertThat(rows.getFirst().heapBytesPerToken()).isNull();
        assertThat(rows).allSatisfy(row -> {
            assertThat(row.bareTokensPerSecond()).isPositive();
            assertThat(row.engineTokensPerSecond()).isPositive();
        });
        assertThat(rows.getLast().heapBytesPerToken()).isNotNull();
        assertThat(runner.kvBytesNow()).isZero();
    }

    /** The first sequence decodes a step for each chunk of the fifteen prompts behind it. */
    @ParameterizedTest
    @CsvSource({"16, 16, 4096", "16, 1, 4096", "5, 7, 4096", "16, 16, 200", "1, 128, 40"})
    void contextHoldsWhatSequencesDecodeBeforeAllAreTogether(int sequences, int chunk, int modelContext) {
        EnginePlan plan = EnginePlan.within(modelContext, List.of(sequences), 32, 12, chunk, 1);
        assertThat(plan.contextTokens()).isLessThanOrEqualTo(modelContext);
        ScriptedRunner runner = runner(sequences, plan.contextTokens());

        assertThat(bench(runner, plan, PATIENCE).measure()).hasSize(2);
    }

    @Test
    void aSequenceThatEndsTooEarlyIsAFailureAndNoEndlessWait() {
        EnginePlan tooLong = new EnginePlan(List.of(4), 16, 128, 64, 16, 1);
        ScriptedRunner runner = runner(4, 193);

        assertThatThrownBy(() -> bench(runner, tooLong, PATIENCE).measure())
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("ended by LENGTH after")
                .hasMessageContaining("64 steps with 4 sequences together");
    }

    @ParameterizedTest
    @CsvSource({"1", "3", "40"})
    void aFailedEngineEndsTheMeasurement(int atStep) {
        EnginePlan plan = EnginePlan.within(512, List.of(2), 16, 20, 16, 1);
        ScriptedRunner runner = runner(2, plan.contextTokens());
        AtomicInteger steps = new AtomicInteger();
        runner.beforeStep(() -> {
            if (Thread.currentThread().getName().startsWith("engine-") && steps.incrementAndGet() == atStep) {
                throw new IllegalStateException("out of memory in MatMul");
            }
        });

        assertThatThrownBy(() -> bench(runner, plan, PATIENCE).measure())
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("the engine failed")
                .hasMessageContaining("out of memory in MatMul");
    }

    @Test
    void anEngineThatMakesNoStepIsNotWaitedForForEver() {
        EnginePlan plan = EnginePlan.within(512, List.of(1), 16, 4, 16, 1);
        ScriptedRunner runner = runner(1, plan.contextTokens());
        CountDownLatch stuck = new CountDownLatch(1);
        runner.beforeStep(() -> {
            if (Thread.currentThread().getName().startsWith("engine-")) {
                awaitQuietly(stuck);
            }
        });

        EngineBench bench = bench(runner, plan, Duration.ofMillis(100));
        assertThatThrownBy(bench::measure)
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("made no step")
                .hasMessageContaining("EngineStats[step=0");
        stuck.countDown();
    }

    @Test
    void fewerSlotsThanSequencesAreRefused() {
        EnginePlan plan = EnginePlan.within(512, List.of(1, 8), 16, 4, 16, 1);

        assertThatThrownBy(() -> bench(runner(4, plan.contextTokens()), plan, PATIENCE))
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("--sequences 8")
                .hasMessageContaining("only 4");
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
