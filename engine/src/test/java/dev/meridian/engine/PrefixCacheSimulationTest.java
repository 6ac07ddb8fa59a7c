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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Talks that go on, prompts that begin alike, several choices, cancellations and attempts that continue others, of several
 * scopes, against an engine that is stepped by hand and keeps what it can. After every step: live and kept KV bytes are all
 * that is committed and within the budget, and nobody waits for what is kept. The runner checks each position: it stands behind
 * the tokens that it was run behind, and was run for the scope that uses it. At the end: every text is what it is alone.
 */
class PrefixCacheSimulationTest {
    private static final int ROUNDS = 150;
    private static final int SCOPES = 3;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void invariantsHold(long seed) throws InterruptedException {
        long cached = 0;
        for (int i = 0; i < 20; i++) {
            cached += new Simulation(seed * 1000 + i).run();
        }
        assertThat(cached).as("seed %d: cached tokens", seed).isGreaterThan(5_000);
    }

    /** Where nothing is shared and nobody is preempted, whoever keeps what it can runs what one that keeps nothing runs, pass by pass. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void whatIsKeptDelaysNobody(long seed) throws InterruptedException {
        int compared = 0;
        for (int i = 0; i < 30; i++) {
            Passes without = passes(seed * 1000 + i, PrefixCaching.off());
            if (without.preemptions() == 0) {
                Passes with = passes(seed * 1000 + i, new PrefixCaching(true, 0, false));
                assertThat(with.passes()).as("seed %d", seed * 1000 + i).isEqualTo(without.passes());
                compared += with.kept() > 0 ? 1 : 0;
            }
        }
        assertThat(compared).as("histories that were compared").isGreaterThan(5);
    }

    private record Passes(List<String> passes, long preemptions, long kept) {}

    private static Passes passes(long seed, PrefixCaching caching) throws InterruptedException {
        Random random = new Random(seed);
        int context = 60 + random.nextInt(100);
        ScriptedRunner runner =
                new ScriptedRunner(LetterVocabulary.SIZE, 1 + random.nextInt(4), context, ScriptedRunner.hashing());
        long budget = runner.kvBytes(context + random.nextInt(context * 3));
        Engine engine = new Engine(
                "compared",
                runner,
                new LetterVocabulary(),
                List.of(LetterVocabulary.END),
                SamplingDefaults.none(),
                new EngineSettings(40, 1 + random.nextInt(40), budget, Fairness.unpaced(), caching, 0),
                new RecordingListener(),
                () -> 0);
        List<String> passes = new ArrayList<>();
        long kept = 0;
        for (int round = 0; round < 100 || !engine.isIdle(); round++) {
            if (round < 100 && random.nextInt(6) == 0) {
                Generation generation = new Generation(
                        Requests.sampled(1, 0, 0.9f, 0f, random.nextLong()), 1, 1 + random.nextInt(30), List.of(), -1);
                int[] prompt = random.ints(20 + random.nextInt(30), 1, 128).toArray();
                engine.submit(List.of(new SequenceRequest(
                        new Attempt("r" + round, 1),
                        0,
                        TokenIds.of(prompt),
                        TokenIds.empty(),
                        generation,
                        Requests.NEVER)));
            }
            if (!engine.isIdle()) {
                engine.step();
                kept += engine.stats().keptBytes();
                passes.add("waiting " + engine.stats().waiting());
            }
        }
        runner.calls().forEach(call -> passes.add(call.replaceFirst("prefill \\d+", "prefill")));
        return new Passes(passes, engine.stats().preemptions(), kept);
    }

    private static final class Simulation implements StepListener {
        private final long seed;
        private final Random random;
        private final ScriptedRunner.Script script;
        private final ScriptedRunner runner;
        private final EngineSettings settings;
        private final Engine engine;
        private final List<int[]> beginnings = new ArrayList<>();
        private final Map<String, SequenceRequest> submitted = new LinkedHashMap<>();
        private final Map<String, List<Integer>> tokens = new HashMap<>();
        private final Map<Attempt, Boolean> gone = new HashMap<>();
        private final List<String> finished = new ArrayList<>();
        private long now;

        Simulation(long seed) {
            this.seed = seed;
            random = new Random(seed);
            int context = 60 + random.nextInt(120);
            int slots = 1 + random.nextInt(5);
            script = seed % 4 == 0 ? ScriptedRunner.repeating() : ScriptedRunner.hashing();
            runner = new ScriptedRunner(LetterVocabulary.SIZE, slots, random.nextInt(3), context, script);
            boolean acrossKeys = random.nextInt(4) == 0;
            settings = new EngineSettings(
                    40,
                    1 + random.nextInt(40),
                    runner.kvBytes(context / 2 + random.nextInt(context * 3)),
                    Fairness.unreserved(),
                    new PrefixCaching(true, 0, acrossKeys),
                    seed % 4 == 0 ? 8 : 0);
            if (seed % 2 == 0) {
                runner.runningRows();
            }
            engine = engine(runner, settings, this);
            runner.ownedBy(acrossKeys ? _ -> 0 : this::scopeOf);
            Random costs = new Random(~seed);
            runner.beforeStep(() -> now += costs.nextInt(5));
            for (int i = 0; i < 4; i++) {
                beginnings.add(
                        random.ints(10 + random.nextInt(context / 2), 1, 128).toArray());
            }
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

        private Stream<Sequence> live() {
            Slots slots = engine.scheduler().slots();
            return Stream.concat(slots.decoding().stream(), slots.prefilling().stream());
        }

        private long scopeOf(int slot) {
            return live().filter(sequence -> sequence.slot == slot)
                    .findFirst()
                    .orElseThrow()
                    .scope();
        }

        /** Gives how many tokens were cached. */
        long run() throws InterruptedException {
            for (int round = 0; round < ROUNDS; round++) {
                if (random.nextInt(5) == 0) {
                    arrive("r" + round);
                }
                if (random.nextInt(20) == 0) {
                    cancelOne(random.nextBoolean());
                }
                stepOnce();
            }
            for (int extra = 0; !engine.isIdle(); extra++) {
                assertThat(extra).as("seed %d: steps until all ended", seed).isLessThan(20_000);
                stepOnce();
            }
            checkEnds();
            engine.close();
            engine.step();
            assertThat(runner.kvBytesNow())
                    .as("seed %d: KV bytes of a closed engine", seed)
                    .isZero();
            return engine.stats().cachedTokens();
        }

        private void stepOnce() throws InterruptedException {
            now++;
            if (engine.isIdle()) {
                return;
            }
            engine.step();
            PrefixCache cache = engine.scheduler().cache();
            long liveBytes = live().mapToLong(sequence -> runner.kvBytes(sequence.held()))
                    .sum();
            assertThat(runner.kvBytesNow())
                    .as("seed %d: KV bytes that somebody holds", seed)
                    .isEqualTo(liveBytes + cache.bytes());
            assertThat(runner.mostKvBytes())
                    .as("seed %d: KV bytes within any step", seed)
                    .isLessThanOrEqualTo(settings.kvBudgetBytes());
            long holders = live().count() + cache.size();
            assertThat(runner.filled().stream().filter(filled -> filled > 0).count())
                    .as("seed %d: slots that somebody holds", seed)
                    .isLessThanOrEqualTo(holders);
            for (int slot = 0; slot < runner.slots() + runner.keptSlots(); slot++) {
                PrefixCache.Kept kept = cache.in(slot);
                if (kept != null) {
                    assertThat(kept.filled()).isEqualTo(runner.filled().get(slot));
                    assertThat(runner.runsRows() ? runner.slots() : slot)
                            .as("seed %d: rows are of those that decode", seed)
                            .isGreaterThanOrEqualTo(
                                    engine.scheduler().slots().decoding().size());
                }
            }
        }

        private SequenceRequest request(String key) {
            return Objects.requireNonNull(submitted.get(key), key);
        }

        private void arrive(String id) {
            long scope = random.nextInt(SCOPES);
            int choices = random.nextInt(4) == 0 ? 1 + random.nextInt(3) : 1;
            Generation generation = new Generation(
                    Requests.sampled(random.nextInt(2), random.nextInt(5), 0.9f, 0f, random.nextLong()),
                    choices,
                    random.nextInt(40),
                    random.nextInt(4) == 0 ? List.of("a", "bc") : List.of(),
                    -1,
                    List.of(Priority.values()).get(random.nextInt(3)));
            submit(new Attempt(id, 1), TokenIds.of(prompt()), scope, generation, List.of());
        }

        private void submit(
                Attempt attempt, TokenIds prompt, long scope, Generation generation, List<TokenIds> emitted) {
            List<SequenceRequest> all = IntStream.range(0, generation.choices())
                    .mapToObj(choice -> new SequenceRequest(
                            attempt,
                            choice,
                            prompt,
                            emitted.isEmpty() ? TokenIds.empty() : emitted.get(choice),
                            generation,
                            scope,
                            Requests.NEVER))
                    .toList();
            if (engine.submit(all).isEmpty()) {
                all.forEach(request -> submitted.put(key(attempt, request.choice()), request));
            }
        }

        /** One of a few beginnings, or an earlier prompt with some of its reply; and something behind it. */
        private int[] prompt() {
            int[] first = beginnings.get(random.nextInt(beginnings.size()));
            if (!submitted.isEmpty() && random.nextInt(2) == 0) {
                List<String> keys = new ArrayList<>(submitted.keySet());
                String key = keys.get(random.nextInt(keys.size()));
                first = IntStream.concat(
                                IntStream.of(request(key).promptIds().toArray()),
                                tokens.getOrDefault(key, List.of()).stream().mapToInt(Integer::intValue))
                        .toArray();
            }
            int[] more = random.ints(random.nextInt(12), 1, 128).toArray();
            int[] whole =
                    IntStream.concat(IntStream.of(first), IntStream.of(more)).toArray();
            int most = 1 + random.nextInt(runner.contextTokens());
            return IntStream.of(whole).limit(Math.max(most, 20)).toArray();
        }

        /** Its client leaves, or another attempt goes on where it stands. */
        private void cancelOne(boolean goesOn) {
            List<SequenceRequest> running = submitted.values().stream()
                    .filter(request -> !gone.containsKey(request.attempt()))
                    .filter(request -> IntStream.range(0, request.generation().choices())
                            .noneMatch(choice -> finished.contains(key(request.attempt(), choice))))
                    .toList();
            if (running.isEmpty()) {
                return;
            }
            SequenceRequest one = running.get(random.nextInt(running.size()));
            gone.put(one.attempt(), true);
            engine.cancel(one.attempt());
            if (goesOn) {
                List<TokenIds> emitted = IntStream.range(0, one.generation().choices())
                        .mapToObj(choice -> {
                            String key = key(one.attempt(), choice);
                            return TokenIds.of(Stream.concat(
                                            IntStream.of(request(key).emitted().toArray())
                                                    .boxed(),
                                            tokens.getOrDefault(key, List.of()).stream())
                                    .mapToInt(Integer::intValue)
                                    .toArray());
                        })
                        .toList();
                submit(one.attempt().next(), one.promptIds(), one.cacheScope(), one.generation(), emitted);
            }
        }

        private void checkEnds() throws InterruptedException {
            for (var entry : submitted.entrySet()) {
                if (!gone.containsKey(entry.getValue().attempt())) {
                    assertThat(finished).as("seed %d: finished", seed).contains(entry.getKey());
                    assertThat(tokens.get(entry.getKey()))
                            .as("seed %d: tokens of %s", seed, entry.getKey())
                            .isEqualTo(alone(entry.getValue()));
                }
            }
        }

        private List<Integer> alone(SequenceRequest request) throws InterruptedException {
            ScriptedRunner own = new ScriptedRunner(LetterVocabulary.SIZE, 1, runner.contextTokens(), script);
            RecordingListener listener = new RecordingListener();
            Engine single = engine(own, new EngineSettings(1, 1000, settings.kvBudgetBytes()), listener);
            assertThat(single.submit(List.of(request))).isEmpty();
            while (!single.isIdle()) {
                single.step();
            }
            assertThat(own.kvBytesNow()).isZero();
            return listener.entries(request.attempt(), request.choice()).stream()
                    .map(Entry::tokenId)
                    .toList();
        }

        @Override
        public void onStep(long step, List<Entry> entries) {
            for (Entry entry : entries) {
                String key = key(entry.attempt(), entry.choice());
                tokens.computeIfAbsent(key, _ -> new ArrayList<>()).add(entry.tokenId());
                if (entry.timings() != null) {
                    checkCached(request(key), entry.timings().cachedTokens());
                }
                if (entry.finish() != null) {
                    finished.add(key);
                }
            }
        }

        private void checkCached(SequenceRequest request, int cached) {
            assertThat(cached)
                    .as("seed %d: cached of the prompt", seed)
                    .isBetween(0, request.promptIds().size());
            assertThat(cached == 0 || cached >= PrefixCache.LEAST_TOKENS).isTrue();
        }

        @Override
        public void onRefused(Attempt attempt, Refusal reason) {
            throw new AssertionError("seed " + seed + ": refused " + attempt + ", " + reason);
        }

        @Override
        public void onFailed(Throwable cause) {
            throw new AssertionError("seed " + seed, cause);
        }

        private static String key(Attempt attempt, int choice) {
            return attempt.requestId() + "#" + attempt.number() + "/" + choice;
        }
    }
}
