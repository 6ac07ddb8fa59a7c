package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random arrivals, cancellations and deadlines against an engine that is stepped by hand. After every step: no KV byte over
 * the budget (the runner itself checks that slots are not shared and caches not lost); at the end: every sequence ended as
 * it should, in arrival order inside its class, with the text that it has when it runs alone. Passes take random times, so
 * prefill runs in pieces of all sizes. Half of the runners take rows of several sequences, and half of those are guessed for.
 */
class EngineSimulationTest {
    private static final int ROUNDS = 120;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void invariantsHold(long seed) throws InterruptedException {
        long accepted = 0;
        for (int i = 0; i < 20; i++) {
            accepted += new Simulation(seed * 1000 + i).run();
        }
        assertThat(accepted).as("guesses that were right").isGreaterThan(10);
    }

    private static final class Simulation implements StepListener {
        private final long seed;
        private final Random random;
        private final ScriptedRunner.Script script;
        private final ScriptedRunner runner;
        private final EngineSettings settings;
        private final Engine engine;
        private final Map<String, SequenceRequest> submitted = new LinkedHashMap<>();
        private final Map<String, StringBuilder> texts = new HashMap<>();
        private final Map<String, Integer> counts = new HashMap<>();
        private final List<String> firstTokens = new ArrayList<>();
        private final Set<String> finished = new HashSet<>();
        private final Set<Attempt> gone = new HashSet<>();
        private long now;

        Simulation(long seed) {
            this.seed = seed;
            random = new Random(seed);
            int context = 20 + random.nextInt(60);
            script = seed % 4 == 0 ? ScriptedRunner.repeating() : ScriptedRunner.hashing();
            runner = new ScriptedRunner(LetterVocabulary.SIZE, 1 + random.nextInt(5), context, script);
            if (seed % 2 == 0) {
                runner.runningRows();
            }
            long budget = runner.kvBytes(context / 2 + random.nextInt(context * 2));
            settings = new EngineSettings(
                    1 + random.nextInt(20),
                    1 + random.nextInt(16),
                    budget,
                    Fairness.unreserved(),
                    PrefixCaching.off(),
                    seed % 4 == 0 ? 8 : 0);
            engine = engine(runner, settings, this);
            Random costs = new Random(~seed);
            int slowest = 1 + costs.nextInt(6);
            runner.beforeStep(() -> now += costs.nextInt(slowest));
        }

        private Engine engine(ScriptedRunner on, EngineSettings with, StepListener listener) {
            return new Engine(
                    "simulated",
                    on,
                    new LetterVocabulary(),
                    List.of(LetterVocabulary.END),
                    SamplingDefaults.none(),
                    with,
                    listener,
                    () -> now);
        }

        /** Returns how many guesses were right. */
        long run() throws InterruptedException {
            for (int round = 0; round < ROUNDS; round++) {
                if (random.nextInt(4) == 0) {
                    arrive("r" + round);
                }
                if (random.nextInt(30) == 0) {
                    cancelOne();
                }
                stepOnce();
            }
            for (int extra = 0; !engine.isIdle(); extra++) {
                assertThat(extra).as("seed %d: steps until all ended", seed).isLessThan(20_000);
                stepOnce();
            }
            checkEnds();
            return engine.stats().acceptedTokens();
        }

        private void stepOnce() throws InterruptedException {
            now++;
            if (!engine.isIdle()) {
                engine.step();
                assertThat(runner.mostKvBytes())
                        .as("seed %d: KV bytes within any step", seed)
                        .isLessThanOrEqualTo(settings.kvBudgetBytes());
            }
        }

        private void arrive(String id) {
            int choices = 1 + random.nextInt(3);
            Generation generation = new Generation(
                    Requests.sampled(random.nextInt(3), random.nextInt(5), 0.9f, 0f, random.nextLong()),
                    choices,
                    random.nextInt(30),
                    random.nextInt(3) == 0 ? List.of("a", "bc") : List.of(),
                    -1,
                    List.of(Priority.values()).get(random.nextInt(3)));
            long deadline = random.nextInt(5) == 0 ? now + random.nextInt(60) : Requests.NEVER;
            int[] prompt = random.ints(1 + random.nextInt(runner.contextTokens()), 1, 128)
                    .toArray();
            List<SequenceRequest> all = new ArrayList<>();
            for (int choice = 0; choice < choices; choice++) {
                all.add(new SequenceRequest(
                        new Attempt(id, 1), choice, TokenIds.of(prompt), TokenIds.empty(), generation, deadline));
            }
            if (engine.submit(all).isEmpty()) {
                all.forEach(request -> submitted.put(key(request.attempt(), request.choice()), request));
            }
        }

        private void cancelOne() {
            if (!submitted.isEmpty()) {
                List<SequenceRequest> all = new ArrayList<>(submitted.values());
                Attempt attempt = all.get(random.nextInt(all.size())).attempt();
                gone.add(attempt);
                engine.cancel(attempt);
            }
        }

        private void checkEnds() throws InterruptedException {
            assertThat(runner.kvBytesNow())
                    .as("seed %d: KV bytes at the end", seed)
                    .isZero();
            for (Priority priority : Priority.values()) {
                List<String> order = submitted.keySet().stream()
                        .filter(texts::containsKey)
                        .filter(key -> priorityOf(key) == priority)
                        .toList();
                assertThat(firstTokens)
                        .as("seed %d: order of first tokens of %s", seed, priority)
                        .filteredOn(key -> priorityOf(key) == priority)
                        .isEqualTo(order);
            }
            for (var entry : submitted.entrySet()) {
                if (!gone.contains(entry.getValue().attempt())) {
                    assertThat(finished).as("seed %d: finished", seed).contains(entry.getKey());
                    assertThat(texts.get(entry.getKey()))
                            .as("seed %d: text of %s", seed, entry.getKey())
                            .hasToString(alone(entry.getValue()));
                }
            }
        }

        private @Nullable Priority priorityOf(String key) {
            SequenceRequest request = submitted.get(key);
            return request == null ? null : request.generation().priority();
        }

        private String alone(SequenceRequest request) throws InterruptedException {
            ScriptedRunner own = new ScriptedRunner(LetterVocabulary.SIZE, 1, runner.contextTokens(), script);
            RecordingListener listener = new RecordingListener();
            Engine single = engine(own, new EngineSettings(1, 1000, settings.kvBudgetBytes()), listener);
            SequenceRequest patient = new SequenceRequest(
                    request.attempt(),
                    request.choice(),
                    request.promptIds(),
                    request.emitted(),
                    request.generation(),
                    Requests.NEVER);
            assertThat(single.submit(List.of(patient))).isEmpty();
            while (!single.isIdle()) {
                single.step();
            }
            return listener.text(request.attempt(), request.choice());
        }

        @Override
        public void onStep(long step, List<Entry> entries) {
            for (Entry entry : entries) {
                String key = key(entry.attempt(), entry.choice());
                assertThat(finished).as("seed %d: entries after the last", seed).doesNotContain(key);
                assertThat(entry.index()).as("seed %d: index", seed).isEqualTo(counts.merge(key, 1, Integer::sum) - 1);
                if (entry.index() == 0) {
                    firstTokens.add(key);
                }
                texts.computeIfAbsent(key, k -> new StringBuilder()).append(entry.text());
                if (entry.finish() != null) {
                    finished.add(key);
                }
            }
        }

        @Override
        public void onRefused(Attempt attempt, Refusal reason) {
            assertThat(reason).isEqualTo(new Refusal.DeadlineExceeded());
            assertThat(gone.add(attempt)).as("seed %d: refused once", seed).isTrue();
        }

        @Override
        public void onFailed(Throwable cause) {
            throw new AssertionError("seed " + seed, cause);
        }

        private static String key(Attempt attempt, int choice) {
            return attempt.requestId() + "/" + choice;
        }
    }
}
