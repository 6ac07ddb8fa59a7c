package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bytes of Java heap that the engine's own thread takes for a token, on the thread that steps it. */
class EngineAllocationTest {
    private static final int SMALL = 200;
    private static final int LARGE = 20_200;
    private static final int WARM_UP = 60;
    private static final int STEPS = 40;

    /** A byte for each entry of the larger vocabulary would be more than ten times this. */
    private static final long MARGIN_BYTES_PER_STEP = 1_500;

    /** Fills rows without work that grows, so that the test is quick. */
    private static ScriptedRunner runner(int vocabSize) {
        return new ScriptedRunner(vocabSize, 2, 400, (seen, into) -> {
            for (int i = 0; i < into.length; i++) {
                into[i] = (i * 31 + seen.length * 7) % 100 / 25f;
            }
        });
    }

    private static final class Ignoring implements StepListener {
        @Override
        public void onStep(long step, List<Entry> entries) {}

        @Override
        public void onRefused(Attempt attempt, Refusal reason) {
            throw new AssertionError(attempt + " was refused: " + reason);
        }

        @Override
        public void onFailed(Throwable cause) {
            throw new AssertionError(cause);
        }
    }

    private static long bytesPerStep(int vocabSize, Sampling sampling, int topLogprobs) throws InterruptedException {
        Engine engine = new Engine(
                "counted",
                runner(vocabSize),
                new WideVocabulary(vocabSize),
                List.of(),
                SamplingDefaults.none(),
                new EngineSettings(8, 64, 1 << 20, Fairness.unreserved(), new PrefixCaching(true, 0, false), 8),
                new Ignoring(),
                () -> 0);
        Generation generation = new Generation(sampling, 1, 0, List.of(), topLogprobs);
        assertThat(engine.submit(List.of(Requests.of("a", "hello", generation))))
                .isEmpty();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < WARM_UP; i++) {
            engine.step();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < STEPS; i++) {
            engine.step();
        }
        return (threads.getCurrentThreadAllocatedBytes() - before) / STEPS;
    }

    @ParameterizedTest(name = "temperature {0}, top_k {1}, top_p {2}, min_p {3}, penalty {4}, logprobs {5}")
    @CsvSource({
        "0, 0, 1, 0, 1, -1",
        "1, 0, 1, 0, 1, -1",
        "1, 20, 0.9, 0, 1, -1",
        "1, 0, 0.9, 0.1, 1.2, -1",
        "0, 0, 1, 0, 1.2, 20",
    })
    void aStepAllocatesNothingThatGrowsWithTheVocabulary(
            float temperature, int topK, float topP, float minP, float penalty, int topLogprobs)
            throws InterruptedException {
        Sampling sampling = new Sampling(temperature, topK, topP, minP, penalty, 0.5f, 0.5f, Map.of(65, 1f), 7);
        // The first time, too, for classes that load and methods that are compiled.
        bytesPerStep(SMALL, sampling, topLogprobs);
        long small = bytesPerStep(SMALL, sampling, topLogprobs);
        long large = bytesPerStep(LARGE, sampling, topLogprobs);

        assertThat(large - small)
                .as("bytes a step: %d with %d tokens, %d with %d", small, SMALL, large, LARGE)
                .isLessThan(MARGIN_BYTES_PER_STEP);
    }

    @Test
    void theCountSeesAnArrayOfTheVocabularysSize() throws InterruptedException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        byte[] array = new byte[LARGE];
        long after = threads.getCurrentThreadAllocatedBytes();

        assertThat(after - before).isGreaterThanOrEqualTo(array.length).isGreaterThan(10 * MARGIN_BYTES_PER_STEP);
    }

    /** Any number of tokens, all of which say the same. */
    private record WideVocabulary(int size) implements Vocabulary {
        @Override
        public byte[] bytes(int tokenId) {
            return new byte[] {'x'};
        }

        @Override
        public TextStream newStream() {
            return new TextStream() {
                @Override
                public String append(int tokenId) {
                    return "x";
                }

                @Override
                public String flush() {
                    return "";
                }
            };
        }
    }
}
