package dev.meridian.actors;

import static dev.meridian.protocol.cluster.ReplicaState.DRAINING;
import static dev.meridian.protocol.cluster.ReplicaState.FAILED;
import static dev.meridian.protocol.cluster.ReplicaState.LOADING;
import static dev.meridian.protocol.cluster.ReplicaState.READY;
import static dev.meridian.protocol.cluster.ReplicaState.STANDBY;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineSettings;
import dev.meridian.engine.EngineStats;
import dev.meridian.engine.LetterVocabulary;
import dev.meridian.engine.ScriptedRunner;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import dev.meridian.protocol.message.StreamEvent.Accepted;
import dev.meridian.protocol.message.StreamEvent.Refused;
import dev.meridian.protocol.message.StreamEvent.StepBatch;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A node whose models are scripted, and whose loads and steps wait for permits. */
final class NodeModelsTest {
    private static final Config CONFIG = ManualTime.config()
            .withFallback(ConfigFactory.parseString("pekko.loglevel = OFF"))
            .withFallback(ConfigFactory.load());
    private static final HostSettings HOST = HostSettings.from(CONFIG);
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochMilli(1_000_000), ZoneOffset.UTC);
    private static final Duration DRAIN_DEADLINE = Duration.ofSeconds(30);
    private static final Duration LINGER = Duration.ofSeconds(1);
    private static final String DIGEST = "0123456789ab";
    private static final long BYTES = 10;
    private static final int MANY = 1_000_000;
    private static final ReplicaId LETTERS = new ReplicaId("eu", "letters", DIGEST, 1);
    private static final ReplicaId OTHERS = new ReplicaId("eu", "others", DIGEST, 1);

    private final ActorTestKit kit = ActorTestKit.create("nodes", CONFIG);
    private final ManualTime time = ManualTime.get(kit.system());
    private final TestProbe<StreamEvent> edge = kit.createTestProbe();
    private final TestProbe<Done> done = kit.createTestProbe();
    private final HeldReplicas held = new HeldReplicas(() -> 0);
    private final Semaphore loads = new Semaphore(0);
    private final Semaphore steps = new Semaphore(0);
    private final List<FakeModel> loaded = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger loadsBegun = new AtomicInteger();
    private final List<StreamEvent> messages = new ArrayList<>();
    private long generation;
    private volatile boolean breaks;

    /** Says "world" after a prompt of five letters. */
    private final class FakeModel implements HostedModel {
        private final boolean starts;
        private volatile boolean open = true;
        private volatile EngineStats stats = EngineStats.NONE;
        private volatile @Nullable Engine engine;

        FakeModel(boolean starts) {
            this.starts = starts;
        }

        @Override
        public Encoded encode(Prompt prompt) {
            return new Encoded.Ids(((Prompt.Tokens) prompt).ids());
        }

        @Override
        public Engine start(StepListener listener) {
            if (!starts) {
                throw new IllegalStateException("no engine on purpose");
            }
            ScriptedRunner runner = new ScriptedRunner(
                    LetterVocabulary.SIZE,
                    4,
                    100,
                    ScriptedRunner.replying(5, LetterVocabulary.ids("world"), LetterVocabulary.END));
            runner.beforeStep(this::beforeStep);
            Engine started = Engine.start(
                    "test",
                    runner,
                    new LetterVocabulary(),
                    List.of(LetterVocabulary.END),
                    SamplingDefaults.none(),
                    new EngineSettings(16, 16, 1 << 20),
                    listener,
                    () -> 0L);
            engine = started;
            return started;
        }

        private void beforeStep() {
            steps.acquireUninterruptibly();
            if (breaks) {
                throw new IllegalStateException("a broken step on purpose");
            }
        }

        @Override
        public EngineStats stats() {
            return stats;
        }

        @Override
        public long reservedBytes() {
            return BYTES;
        }

        @Override
        public void close() {
            Engine running = engine;
            if (running != null) {
                running.close();
            }
            open = false;
        }
    }

    @AfterEach
    void shutdown() {
        loads.release(MANY);
        steps.release(MANY);
        kit.shutdownTestKit();
        List.copyOf(loaded).forEach(FakeModel::close);
    }

    private Loadable loadable(String model, Supplier<HostedModel> load) {
        return new Loadable(
                new ModelInfo(model, DIGEST, 100, LetterVocabulary.SIZE, 0, "int4", BYTES, Residency.ANYWHERE),
                BYTES,
                () -> {
                    loadsBegun.incrementAndGet();
                    loads.acquireUninterruptibly();
                    return load.get();
                });
    }

    private HostedModel loadFake(boolean starts) {
        FakeModel model = new FakeModel(starts);
        loaded.add(model);
        return model;
    }

    private Loadable letters() {
        return loadable("letters", () -> loadFake(true));
    }

    private ActorRef<NodeModels.Command> node(long budget, Loadable... loadables) {
        return kit.spawn(NodeModels.create(
                new NodeModels.Setup("here", budget, List.of(loadables), DRAIN_DEADLINE, HOST, held, CLOCK, () -> 0L)));
    }

    private NodeModels.Follow pins(Pin... pins) {
        return new NodeModels.Follow(
                PinTable.empty("eu").withGeneration(++generation).withPins(List.of(pins)));
    }

    private static Pin here(ReplicaId replica, long generation) {
        return new Pin(replica, "here", generation, null);
    }

    private static Pin movingHere(ReplicaId replica, long generation) {
        return new Pin(replica, "there", generation, "here");
    }

    private static Pin there(ReplicaId replica, long generation) {
        return new Pin(replica, "there", generation, null);
    }

    /** As {@code letters READY 3}. */
    private List<String> states() {
        return held.statuses().stream()
                .map(one -> one.id().model() + " " + one.state() + " " + one.generation())
                .toList();
    }

    private void awaitStates(String... expected) {
        edge.awaitAssert(() -> {
            assertThat(states()).containsExactly(expected);
            return null;
        });
    }

    private static String state(ReplicaId id, ReplicaState state, long generation) {
        return id.model() + " " + state + " " + generation;
    }

    /** The one replica's host, once it is loaded. */
    private ActorRef<ReplicaCommand> ready(ActorRef<NodeModels.Command> node) {
        node.tell(pins(here(LETTERS, 1)));
        loads.release();
        awaitStates(state(LETTERS, READY, 1));
        return host();
    }

    private ActorRef<ReplicaCommand> host() {
        return Objects.requireNonNull(held.statuses().getFirst().host());
    }

    private Attempt submit(ActorRef<ReplicaCommand> host, String request) {
        Attempt attempt = new Attempt(request, 1);
        host.tell(new Submit(
                attempt,
                "letters",
                0,
                new Prompt.Tokens(TokenIds.of(LetterVocabulary.ids("hello"))),
                new Generation(Sampling.greedy(), 1, 0, List.of(), -1),
                List.of(TokenIds.empty()),
                List.of(false),
                0,
                2_000_000,
                edge.getRef()));
        return attempt;
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        while (true) {
            for (Entry entry : edge.expectMessageClass(StepBatch.class).entries()) {
                text.append(entry.text());
                if (entry.finish() != null) {
                    assertThat(entry.finish()).isEqualTo(FinishReason.STOP);
                    return text.toString();
                }
            }
        }
    }

    /** Time passes until the actors have seen that nobody can miss an entry any more. */
    private void awaitGone() {
        edge.awaitAssert(() -> {
            time.timePasses(LINGER);
            assertThat(states()).isEmpty();
            return null;
        });
    }

    @Test
    void aReplicaThatIsPinnedHereIsLoadedAndServes() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        node.tell(pins(here(LETTERS, 1)));
        awaitStates(state(LETTERS, LOADING, 1));
        assertThat(held.reservedBytes()).isEqualTo(BYTES);
        assertThat(held.statuses().getFirst().host()).isNull();

        loads.release();
        awaitStates(state(LETTERS, READY, 1));
        steps.release(MANY);
        Attempt attempt = submit(host(), "a");

        assertThat(edge.expectMessageClass(Accepted.class).attempt()).isEqualTo(attempt);
        assertThat(text()).isEqualTo("world");
    }

    @Test
    void aReplicaThatIsToMoveHereStandsByUntilItIsPinnedHere() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        node.tell(pins(movingHere(LETTERS, 4)));
        loads.release();
        awaitStates(state(LETTERS, STANDBY, 4));
        ActorRef<ReplicaCommand> host = host();

        node.tell(pins(here(LETTERS, 5)));

        awaitStates(state(LETTERS, READY, 5));
        assertThat(host()).isEqualTo(host);
        assertThat(loadsBegun).hasValue(1);
    }

    @Test
    void whatIsPinnedElsewhereOrHasNoBundleIsNotLoaded() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        node.tell(pins(there(LETTERS, 1), here(OTHERS, 1)));
        node.tell(new NodeModels.Stop(Duration.ZERO, done.getRef()));

        done.expectMessage(Done.getInstance());
        assertThat(loadsBegun).hasValue(0);
    }

    @Test
    void aReplicaThatGoesElsewhereLetsItsStreamsEnd() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        ActorRef<ReplicaCommand> host = ready(node);
        submit(host, "a");
        edge.expectMessageClass(Accepted.class);

        node.tell(pins(there(LETTERS, 2)));
        awaitStates(state(LETTERS, DRAINING, 1));
        awaitEvent(new Refused(submit(host, "b"), new Refusal.ModelNotReady("letters")));
        time.timePasses(DRAIN_DEADLINE.minusMillis(1));
        assertThat(states()).containsExactly(state(LETTERS, DRAINING, 1));
        steps.release(MANY);

        assertThat(textSkippingHeartbeats()).isEqualTo("world");
        awaitGone();
        assertThat(loaded.getFirst().open).isFalse();
        assertThat(held.reservedBytes()).isZero();
    }

    private String textSkippingHeartbeats() {
        StringBuilder text = new StringBuilder();
        while (true) {
            if (edge.receiveMessage() instanceof StepBatch batch) {
                batch.entries().forEach(entry -> text.append(entry.text()));
                if (batch.entries().getLast().finish() != null) {
                    return text.toString();
                }
            }
        }
    }

    @Test
    void aStreamThatOutlivesTheDrainDeadlineIsSentElsewhere() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        ActorRef<ReplicaCommand> host = ready(node);
        Attempt attempt = submit(host, "a");
        edge.expectMessageClass(Accepted.class);
        node.tell(pins(there(LETTERS, 2)));
        awaitStates(state(LETTERS, DRAINING, 1));

        // Once it refuses, the host has heard of its drain.
        awaitEvent(new Refused(submit(host, "b"), new Refusal.ModelNotReady("letters")));
        time.timePasses(DRAIN_DEADLINE);
        awaitEvent(new StreamEvent.HandOver(host));
        time.timePasses(HOST.handOver());

        awaitEvent(new Refused(attempt, new Refusal.ModelNotReady("letters")));
        steps.release(MANY);
        awaitGone();
        assertThat(loaded.getFirst().open).isFalse();
    }

    @Test
    void whatAPolicyTakesAwayLetsItsStreamsTakeTheirTime() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        ActorRef<ReplicaCommand> host = ready(node);
        submit(host, "a");
        edge.expectMessageClass(Accepted.class);
        node.tell(pins());
        awaitStates(state(LETTERS, DRAINING, 1));
        awaitEvent(new Refused(submit(host, "b"), new Refusal.ModelNotReady("letters")));
        time.timePasses(DRAIN_DEADLINE.multipliedBy(3));
        steps.release(MANY);

        assertThat(textSkippingHeartbeats()).isEqualTo("world");
        awaitGone();
    }

    @Test
    void anOperatorWhoUnplacesItMeanwhileIsInMoreOfAHurry() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        ActorRef<ReplicaCommand> host = ready(node);
        Attempt attempt = submit(host, "a");
        edge.expectMessageClass(Accepted.class);
        node.tell(pins());
        awaitStates(state(LETTERS, DRAINING, 1));
        awaitEvent(new Refused(submit(host, "b"), new Refusal.ModelNotReady("letters")));
        PinTable unplaced = PinTable.empty("eu")
                .withGeneration(3)
                .withPlacement("letters", new ModelPlacement("letters", 0, List.of()));
        node.tell(new NodeModels.Follow(unplaced));

        StreamEvent.HandOver handOver = new StreamEvent.HandOver(host);
        boolean handedOver = false;
        for (int tries = 0; tries < 20 && !handedOver; tries++) {
            time.timePasses(DRAIN_DEADLINE);
            handedOver = waiting().contains(handOver);
        }
        assertThat(handedOver).isTrue();
        time.timePasses(HOST.handOver());
        awaitEvent(new Refused(attempt, new Refusal.ModelNotReady("letters")));
        steps.release(MANY);
        awaitGone();
    }

    private void awaitEvent(StreamEvent expected) {
        StreamEvent event = edge.receiveMessage();
        while (!event.equals(expected)) {
            event = edge.receiveMessage();
        }
    }

    /** All that comes until nothing comes for a moment. */
    private List<StreamEvent> waiting() {
        List<StreamEvent> events = new ArrayList<>();
        try {
            while (true) {
                events.add(edge.receiveMessage(Duration.ofMillis(100)));
            }
        } catch (AssertionError _) {
            return events;
        }
    }

    /** All that came so far; fails where nothing new comes. */
    private List<StreamEvent> messages() {
        messages.add(edge.receiveMessage(Duration.ofMillis(100)));
        return messages;
    }

    @Test
    void aReplicaThatComesBackWhileItDrainsIsLoadedAnew() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        ready(node);
        node.tell(pins(there(LETTERS, 2)));
        awaitStates(state(LETTERS, DRAINING, 1));
        node.tell(pins(movingHere(LETTERS, 3)));
        awaitStates(state(LETTERS, DRAINING, 3));

        edge.awaitAssert(() -> {
            time.timePasses(LINGER);
            assertThat(states()).containsExactly(state(LETTERS, LOADING, 3));
            return null;
        });
        assertThat(loaded.getFirst().open).isFalse();
        loads.release();
        awaitStates(state(LETTERS, STANDBY, 3));
        assertThat(loaded).hasSize(2);
    }

    @Test
    void aReplicaThatGoesElsewhereWhileItLoadsIsUnloadedAfterwards() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        node.tell(pins(here(LETTERS, 1)));
        awaitStates(state(LETTERS, LOADING, 1));
        node.tell(pins(there(LETTERS, 2)));
        loads.release();

        awaitStates(state(LETTERS, DRAINING, 1));
        awaitGone();
        assertThat(loaded.getFirst().open).isFalse();
    }

    @Test
    void aFailedLoadIsShownAndTriedAgainAfterAWhile() {
        AtomicInteger tries = new AtomicInteger();
        ActorRef<NodeModels.Command> node = node(100, loadable("letters", () -> {
            if (tries.incrementAndGet() == 1) {
                throw new IllegalStateException("broken on purpose");
            }
            return loadFake(true);
        }));
        node.tell(pins(here(LETTERS, 1)));
        loads.release(2);
        awaitStates(state(LETTERS, FAILED, 1));
        assertThat(held.reservedBytes()).isZero();

        time.timePasses(NodeModels.RETRY_AFTER);

        awaitStates(state(LETTERS, READY, 1));
    }

    @Test
    void aFailureIsShownForAWhileWhereTheReplicaWentElsewhere() {
        ActorRef<NodeModels.Command> node = node(100, loadable("letters", () -> {
            throw new IllegalStateException("broken on purpose");
        }));
        node.tell(pins(here(LETTERS, 1)));
        loads.release(2);
        awaitStates(state(LETTERS, FAILED, 1));
        node.tell(pins(there(LETTERS, 3)));
        time.timePasses(NodeModels.RETRY_AFTER.minusMillis(1));
        assertThat(states()).containsExactly(state(LETTERS, FAILED, 1));

        time.timePasses(Duration.ofMillis(1));

        awaitStates();
        assertThat(loadsBegun).hasValue(1);
    }

    @Test
    void aReplicaWhoseEngineFailsIsUnloadedAndFailed() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        ActorRef<ReplicaCommand> host = ready(node);
        breaks = true;
        Attempt attempt = submit(host, "a");
        steps.release(MANY);

        edge.expectMessageClass(Accepted.class);
        Refused refused = edge.expectMessageClass(Refused.class);
        assertThat(refused.attempt()).isEqualTo(attempt);
        assertThat(refused.reason()).isInstanceOf(Refusal.EngineFailed.class);
        edge.awaitAssert(() -> {
            time.timePasses(LINGER);
            assertThat(states()).containsExactly(state(LETTERS, FAILED, 1));
            return null;
        });
        assertThat(loaded.getFirst().open).isFalse();
    }

    @Test
    void aModelWhoseEngineDoesNotStartIsUnloadedAndFailed() {
        ActorRef<NodeModels.Command> node = node(100, loadable("letters", () -> loadFake(false)));
        node.tell(pins(here(LETTERS, 1)));
        loads.release();

        awaitStates(state(LETTERS, FAILED, 1));
        assertThat(loaded.getFirst().open).isFalse();
        assertThat(held.reservedBytes()).isZero();
    }

    @Test
    void whatDoesNotFitTheBudgetIsNotLoaded() {
        ActorRef<NodeModels.Command> node = node(2 * BYTES - 1, letters(), loadable("others", () -> loadFake(true)));
        node.tell(pins(here(LETTERS, 1)));
        awaitStates(state(LETTERS, LOADING, 1));

        node.tell(pins(here(LETTERS, 1), here(OTHERS, 2)));

        awaitStates(state(LETTERS, LOADING, 1), state(OTHERS, FAILED, 2));
        assertThat(held.reservedBytes()).isEqualTo(BYTES);
        loads.release();
        awaitStates(state(LETTERS, READY, 1), state(OTHERS, FAILED, 2));
        assertThat(loadsBegun).hasValue(1);
    }

    @Test
    void oneLoadFollowsTheOther() {
        ActorRef<NodeModels.Command> node = node(100, letters(), loadable("others", () -> loadFake(true)));
        node.tell(pins(here(LETTERS, 1), here(OTHERS, 1)));
        awaitStates(state(LETTERS, LOADING, 1), state(OTHERS, LOADING, 1));
        edge.awaitAssert(() -> {
            assertThat(loads.hasQueuedThreads()).isTrue();
            return null;
        });
        assertThat(loadsBegun).hasValue(1);

        loads.release(2);

        awaitStates(state(LETTERS, READY, 1), state(OTHERS, READY, 1));
    }

    @Test
    void aStoppedNodeUnloadsEverythingAndEnds() {
        ActorRef<NodeModels.Command> node = node(100, letters(), loadable("others", () -> {
            throw new IllegalStateException("broken on purpose");
        }));
        node.tell(pins(here(LETTERS, 1), here(OTHERS, 1)));
        loads.release(2);
        awaitStates(state(LETTERS, READY, 1), state(OTHERS, FAILED, 1));
        node.tell(new NodeModels.Stop(DRAIN_DEADLINE, done.getRef()));
        awaitStates(state(LETTERS, DRAINING, 1));

        awaitGone();

        done.expectMessage(Done.getInstance());
        done.expectTerminated(node);
        assertThat(loaded.getFirst().open).isFalse();
    }

    @Test
    void aStoppedNodeWaitsForALoadThatRuns() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        node.tell(pins(here(LETTERS, 1)));
        awaitStates(state(LETTERS, LOADING, 1));
        node.tell(new NodeModels.Stop(Duration.ZERO, done.getRef()));
        loads.release();

        awaitStates(state(LETTERS, DRAINING, 1));
        awaitGone();
        done.expectMessage(Done.getInstance());
        assertThat(loaded.getFirst().open).isFalse();
    }

    @Test
    void aStopShortensDrainsThatRun() {
        ActorRef<NodeModels.Command> node = node(100, letters());
        ActorRef<ReplicaCommand> host = ready(node);
        Attempt attempt = submit(host, "a");
        edge.expectMessageClass(Accepted.class);
        node.tell(pins(there(LETTERS, 2)));
        awaitStates(state(LETTERS, DRAINING, 1));

        node.tell(new NodeModels.Stop(Duration.ofMillis(10), done.getRef()));

        edge.awaitAssert(() -> {
            time.timePasses(Duration.ofMillis(10));
            assertThat(messages()).contains(new StreamEvent.HandOver(host));
            return null;
        });
        time.timePasses(HOST.handOver());
        awaitEvent(new Refused(attempt, new Refusal.ModelNotReady("letters")));
        steps.release(MANY);
        awaitGone();
        done.expectMessage(Done.getInstance());
    }

    @Test
    void aReplicaTellsHowBusyItIs() {
        ready(node(100, letters()));
        loaded.getFirst().stats = new EngineStats(1, 3, 2, 0, 0, 0, 0, 40, 0, 0, 0);

        ReplicaStatus status = held.statuses().getFirst();

        assertThat(Arrays.asList(status.runningSequences(), status.queueDepth()))
                .containsExactly(3, 2);
    }
}
