package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Several threads submit and cancel while the engine thread runs: each sequence runs once, to its own end. */
class EngineConcurrencyTest {
    private static final int THREADS = 4;
    private static final int REQUESTS = 1_500;
    private static final String REPLY = "abc";

    @Test
    void submissionsFromManyThreadsRunOnceEach() throws InterruptedException {
        RecordingListener listener = new RecordingListener();
        ScriptedRunner runner = new ScriptedRunner(
                LetterVocabulary.SIZE,
                3,
                20,
                ScriptedRunner.replying(2, LetterVocabulary.ids(REPLY), LetterVocabulary.END));
        try (Engine engine = Engine.start(
                "test",
                runner,
                new LetterVocabulary(),
                List.of(LetterVocabulary.END),
                SamplingDefaults.none(),
                new EngineSettings(THREADS * REQUESTS, 8, 1 << 20),
                listener,
                () -> 0L)) {
            AtomicInteger refused = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                int number = t;
                threads.add(Thread.ofPlatform().start(() -> submitAll(engine, number, refused)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(refused).hasValue(0);
            for (int t = 0; t < THREADS; t++) {
                for (int i = 0; i < REQUESTS; i++) {
                    Attempt attempt = new Attempt(t + "-" + i, 1);
                    listener.awaitFinish(attempt, 0);
                    assertThat(listener.text(attempt, 0)).isEqualTo(REPLY);
                }
            }
        }
    }

    private static void submitAll(Engine engine, int thread, AtomicInteger refused) {
        for (int i = 0; i < REQUESTS; i++) {
            if (engine.submit(List.of(Requests.greedy(thread + "-" + i, "hi", 0)))
                    .isPresent()) {
                refused.incrementAndGet();
            }
            // A cancel of nothing wakes the engine and is the other half of the mail.
            engine.cancel(new Attempt("nobody", 1));
        }
    }
}
