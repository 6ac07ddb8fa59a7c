package dev.meridian.actors;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineSettings;
import dev.meridian.engine.LetterVocabulary;
import dev.meridian.engine.ScriptedRunner;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A host that may keep few bytes feeds an edge that loses much: every token arrives once, and every question is answered. */
final class ResendSimulationTest {
    private static final int CHOICES = 4;
    private static final int PROMPT = 5;
    private static final int TOKENS = 40;
    private static final int MOST_EVENTS = 20_000;
    /** Steps that the engine may be ahead of the edge: fewer than the entries that a choice may keep. */
    private static final int AHEAD = 6;

    private final ActorTestKit kit = ActorTestKit.create(
            "resends", ConfigFactory.parseString("pekko.loglevel = OFF").withFallback(ConfigFactory.load()));
    private final AtomicReference<Engine> engine = new AtomicReference<>();
    private final AtomicLong made = new AtomicLong();
    private final AtomicLong heard = new AtomicLong();
    private volatile boolean ended;

    /** The token is a function of how many there were before, so that a lost or doubled one shows. */
    private static int letter(int seen) {
        return seen < PROMPT + TOKENS - 1 ? 'a' + seen * 7 % 26 : LetterVocabulary.END;
    }

    private ActorRef<ReplicaCommand> host(long resendBytes) {
        ScriptedRunner runner = new ScriptedRunner(LetterVocabulary.SIZE, CHOICES, 100, (seen, into) -> {
            Arrays.fill(into, 0f);
            into[letter(seen.length)] = 10f;
        });
        // Else it would depend on the threads whether what the edge asks for is still there.
        runner.beforeStep(() -> {
            while (made.get() - heard.get() >= AHEAD && !ended) {
                LockSupport.parkNanos(50_000);
            }
        });
        HostSettings settings = new HostSettings(
                Duration.ofMillis(250), 16, Duration.ofSeconds(10), 12, resendBytes, 4, Duration.ofSeconds(10), 100);
        CompletableFuture<ActorRef<ReplicaCommand>> ready = new CompletableFuture<>();
        kit.spawn(ModelHost.create(
                "letters",
                prompt -> new Encoded.Ids(((Prompt.Tokens) prompt).ids()),
                listener -> start(runner, listener),
                settings,
                Clock.systemUTC(),
                System::nanoTime,
                ready));
        return ready.join();
    }

    private Engine start(ScriptedRunner runner, StepListener listener) {
        EngineSettings settings = new EngineSettings(16, 16, 1 << 20);
        Engine started = Engine.start(
                "test",
                runner,
                new LetterVocabulary(),
                List.of(LetterVocabulary.END),
                SamplingDefaults.none(),
                settings,
                counting(listener),
                System::nanoTime);
        engine.set(started);
        return started;
    }

    private StepListener counting(StepListener listener) {
        return new StepListener() {
            @Override
            public void onStep(long step, List<Entry> entries) {
                made.set(step);
                listener.onStep(step, entries);
            }

            @Override
            public void onRefused(Attempt attempt, Refusal reason) {
                listener.onRefused(attempt, reason);
            }

            @Override
            public void onFailed(Throwable cause) {
                listener.onFailed(cause);
            }
        };
    }

    /** An edge that takes a choice's next entry alone, asks for what is missing, and starts anew where it is forgotten. */
    private final class LossyEdge {
        final ActorRef<ReplicaCommand> host;
        final Random random;
        final TestProbe<StreamEvent> probe = kit.createTestProbe();
        final List<List<Integer>> tokens = new ArrayList<>();
        final boolean[] finished = new boolean[CHOICES];
        final Set<Integer> asked = new HashSet<>();
        final int[] newest = {-1, -1, -1, -1};
        int attempt = 1;
        int forgotten;
        int sentAgain;

        LossyEdge(ActorRef<ReplicaCommand> host, Random random) {
            this.host = host;
            this.random = random;
            for (int choice = 0; choice < CHOICES; choice++) {
                tokens.add(new ArrayList<>());
            }
        }

        Attempt current() {
            return new Attempt("r", attempt);
        }

        void submit() {
            asked.clear();
            Arrays.fill(newest, -1);
            host.tell(new Submit(
                    current(),
                    "letters",
                    0,
                    new Prompt.Tokens(TokenIds.of(LetterVocabulary.ids("hello"))),
                    new Generation(Sampling.greedy(), CHOICES, 0, List.of(), 3),
                    tokens.stream()
                            .map(ids -> TokenIds.of(
                                    ids.stream().mapToInt(Integer::intValue).toArray()))
                            .toList(),
                    Arrays.asList(finished[0], finished[1], finished[2], finished[3]),
                    0,
                    Long.MAX_VALUE / 2,
                    probe.getRef()));
        }

        void hear(StreamEvent event) {
            switch (event) {
                case StreamEvent.StepBatch batch -> {
                    batch.entries().forEach(this::onEntry);
                    heard.accumulateAndGet(batch.step(), Math::max);
                }
                case StreamEvent.EntriesForgotten gone -> onForgotten(gone);
                case StreamEvent.Refused refused -> throw new AssertionError(refused.toString());
                // Of a step whose entries nobody wants there is no batch.
                case StreamEvent.Heartbeat beat -> heard.accumulateAndGet(beat.step(), Math::max);
                case StreamEvent.HandOver _ -> throw new AssertionError("nobody told it to drain");
                case StreamEvent.Accepted _ -> {}
            }
        }

        private void onForgotten(StreamEvent.EntriesForgotten gone) {
            if (gone.attempt().equals(current()) && tokens.get(gone.choice()).size() == gone.fromIndex()) {
                forgotten++;
                host.tell(new ReplicaCommand.Cancel(current()));
                attempt++;
                submit();
            }
        }

        private void onEntry(Entry entry) {
            List<Integer> taken = tokens.get(entry.choice());
            // Of a last entry's loss, and of that of an answer, only heartbeats tell: that is the mux's own test.
            boolean first = entry.index() > newest[entry.choice()];
            newest[entry.choice()] = Math.max(newest[entry.choice()], entry.index());
            boolean lost = first && entry.finish() == null && random.nextInt(6) == 0;
            if (!entry.attempt().equals(current()) || lost || entry.index() < taken.size()) {
                return;
            }
            if (entry.index() > taken.size()) {
                if (asked.add(entry.choice())) {
                    host.tell(new ReplicaCommand.Resend(current(), entry.choice(), taken.size()));
                }
                return;
            }
            sentAgain += asked.remove(entry.choice()) ? 1 : 0;
            taken.add(entry.tokenId());
            finished[entry.choice()] = entry.finish() != null;
        }

        boolean isDone() {
            return !Arrays.asList(finished[0], finished[1], finished[2], finished[3])
                    .contains(false);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void noTokenIsLostOrDoubledWhateverTheHostKeeps(long seed) {
        // One entry has 130 to 800 bytes: from too few for a single one to enough for all that the count allows.
        long resendBytes = List.of(400L, 2_000L, 8_000L, 1_000_000L).get((int) (seed % 4));
        try {
            LossyEdge edge = new LossyEdge(host(resendBytes), new Random(seed));
            edge.submit();
            for (int events = 0; !edge.isDone(); events++) {
                assertThat(events).as("seed %d: events", seed).isLessThan(MOST_EVENTS);
                edge.hear(edge.probe.receiveMessage());
            }
            List<Integer> expected = new ArrayList<>();
            for (int at = 0; at < TOKENS; at++) {
                expected.add(letter(PROMPT + at));
            }
            assertThat(edge.tokens).as("seed %d", seed).isEqualTo(Collections.nCopies(CHOICES, expected));
            if (resendBytes < 1_000) {
                assertThat(edge.forgotten).as("seed %d: forgotten", seed).isPositive();
            } else if (resendBytes > 100_000) {
                assertThat(edge.sentAgain).as("seed %d: sent again", seed).isPositive();
            }
        } finally {
            ended = true;
            kit.shutdownTestKit();
            engine.get().close();
        }
    }
}
