package dev.meridian.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Floods of the classes of requests against an engine that is stepped by hand. */
class FairQueueTest {
    private static final PriorityWeights WEIGHTS = new PriorityWeights(6, 3, 1);
    private static final int SLOTS = 4;
    private static final int CONTEXT = 40;
    private static final int STEPS = 6_000;

    /** What the slots hold: so far a class may be from its share, in tokens. */
    private static final int BOUND = (SLOTS + 1) * CONTEXT;

    private static final class Flood implements StepListener {
        private final Random random;
        private final Engine engine;
        private final Map<Priority, Integer> waiting = new EnumMap<>(Priority.class);
        private final Map<Priority, Integer> tokens = new EnumMap<>(Priority.class);
        private final Map<Priority, Integer> newestFirstToken = new EnumMap<>(Priority.class);
        private final Map<Priority, List<Integer>> promptLengths = new EnumMap<>(Priority.class);
        private int requests;

        Flood(long seed, int kvTokens) {
            random = new Random(seed);
            ScriptedRunner runner = new ScriptedRunner(LetterVocabulary.SIZE, SLOTS, CONTEXT, ScriptedRunner.hashing());
            engine = new Engine(
                    "flooded",
                    runner,
                    new LetterVocabulary(),
                    List.of(),
                    SamplingDefaults.none(),
                    new EngineSettings(60, 16, runner.kvBytes(kvTokens), new Fairness(2.4, 2 * SLOTS, WEIGHTS)),
                    this,
                    () -> 0);
        }

        /** Keeps {@code atLeast} requests of a class in the queue. */
        void keepWaiting(Priority priority, int atLeast) {
            while (waiting.getOrDefault(priority, 0) < atLeast) {
                assertThat(submit(priority))
                        .as("%s has its own places", priority)
                        .isTrue();
            }
        }

        boolean submit(Priority priority) {
            int prompt = 1 + random.nextInt(10);
            Generation generation =
                    new Generation(Sampling.greedy(), 1, 1 + random.nextInt(20), List.of(), -1, priority);
            SequenceRequest request = new SequenceRequest(
                    new Attempt(priority + "-" + requests++, 1),
                    0,
                    TokenIds.of(random.ints(prompt, 1, 128).toArray()),
                    TokenIds.empty(),
                    generation,
                    Requests.NEVER);
            boolean taken = engine.submit(List.of(request)).isEmpty();
            if (taken) {
                waiting.merge(priority, 1, Integer::sum);
                promptLengths.computeIfAbsent(priority, _ -> new ArrayList<>()).add(prompt);
            }
            return taken;
        }

        @Override
        public void onStep(long step, List<Entry> entries) {
            for (Entry entry : entries) {
                String[] name = entry.attempt().requestId().split("-", -1);
                Priority priority = Priority.valueOf(name[0]);
                tokens.merge(priority, 1, Integer::sum);
                if (entry.index() == 0) {
                    waiting.merge(priority, -1, Integer::sum);
                    List<Integer> lengths = Objects.requireNonNull(promptLengths.get(priority));
                    tokens.merge(priority, lengths.removeFirst(), Integer::sum);
                    int number = Integer.parseInt(name[1]);
                    assertThat(number)
                            .as("arrival order inside %s", priority)
                            .isGreaterThan(newestFirstToken.getOrDefault(priority, -1));
                    newestFirstToken.put(priority, number);
                }
            }
        }

        @Override
        public void onRefused(Attempt attempt, Refusal reason) {
            throw new AssertionError(attempt + " was refused: " + reason);
        }

        @Override
        public void onFailed(Throwable cause) {
            throw new AssertionError(cause);
        }

        int tokens(Priority priority) {
            return tokens.getOrDefault(priority, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void allClassesInFloodGetTheirSharesOfTheTokens(long seed) throws InterruptedException {
        Flood flood = new Flood(seed, SLOTS * CONTEXT);
        for (int step = 0; step < STEPS; step++) {
            for (Priority priority : Priority.values()) {
                flood.keepWaiting(priority, 3);
            }
            flood.engine.step();
        }
        double all = flood.tokens(Priority.PRIORITY) + flood.tokens(Priority.STANDARD) + flood.tokens(Priority.FLEX);
        for (Priority priority : Priority.values()) {
            double share = all * WEIGHTS.of(priority) / 10;
            assertThat((double) flood.tokens(priority))
                    .as("seed %d: tokens of %s, %s in all", seed, priority, flood.tokens)
                    .isBetween(share - BOUND, share + BOUND);
        }
    }

    @ParameterizedTest
    @EnumSource(Priority.class)
    void noClassStarvesUnderAFloodOfAnother(Priority flooding) throws InterruptedException {
        for (Priority other : Priority.values()) {
            if (other != flooding) {
                Flood flood = new Flood((flooding + "/" + other).hashCode(), SLOTS * CONTEXT / 2);
                for (int step = 0; step < STEPS; step++) {
                    boolean taken = true;
                    while (taken) {
                        taken = flood.submit(flooding);
                    }
                    flood.keepWaiting(other, 3);
                    flood.engine.step();
                }
                double all = flood.tokens(flooding) + flood.tokens(other);
                double share = all * WEIGHTS.of(other) / (WEIGHTS.of(other) + WEIGHTS.of(flooding));
                assertThat((double) flood.tokens(other))
                        .as("tokens of %s beside a flood of %s: %s", other, flooding, flood.tokens)
                        .isGreaterThan(share - BOUND);
            }
        }
    }

    @Test
    void aClassHasNoClaimToTheTimeInWhichItAskedForNothing() throws InterruptedException {
        Flood flood = new Flood(7, SLOTS * CONTEXT);
        for (int step = 0; step < STEPS; step++) {
            flood.keepWaiting(Priority.STANDARD, 3);
            flood.engine.step();
        }
        int before = flood.tokens(Priority.STANDARD);
        for (int step = 0; step < STEPS; step++) {
            flood.keepWaiting(Priority.STANDARD, 3);
            flood.keepWaiting(Priority.FLEX, 3);
            flood.engine.step();
        }
        int standard = flood.tokens(Priority.STANDARD) - before;
        int flex = flood.tokens(Priority.FLEX);
        assertThat((double) standard)
                .as("%d of standard, %d of flex", standard, flex)
                .isBetween((standard + flex) * 0.75 - BOUND, (standard + flex) * 0.75 + BOUND);
    }
}
