package dev.meridian.actors;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
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
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import dev.meridian.protocol.message.StreamEvent.Accepted;
import dev.meridian.protocol.message.StreamEvent.Heartbeat;
import dev.meridian.protocol.message.StreamEvent.Refused;
import dev.meridian.protocol.message.StreamEvent.StepBatch;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ModelHostTest {
    private static final Config CONFIG = ManualTime.config()
            .withFallback(ConfigFactory.parseString("pekko.loglevel = OFF"))
            .withFallback(ConfigFactory.load());
    private static final HostSettings SETTINGS = HostSettings.from(CONFIG);
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochMilli(1_000_000), ZoneOffset.UTC);
    private static final long LATER = 2_000_000;

    private final ActorTestKit kit = ActorTestKit.create("hosts", CONFIG);
    private final ManualTime time = ManualTime.get(kit.system());
    private final List<Engine> engines = new ArrayList<>();
    private final Semaphore steps = new Semaphore(0);

    @AfterAll
    void shutdown() {
        kit.shutdownTestKit();
    }

    @AfterEach
    void closeEngines() {
        steps.release(10_000);
        engines.forEach(Engine::close);
        engines.clear();
        steps.drainPermits();
    }

    /** A host whose model says {@code reply} after a prompt of five letters, each forward pass waiting for a permit. */
    private ActorRef<ReplicaCommand> host(String reply, Runnable beforeStep) {
        return spawned(reply, beforeStep).edgeSide();
    }

    /** A host as its owner and as its edges see it. */
    private record Spawned(ActorRef<ModelHost.Command> owned, ActorRef<ReplicaCommand> edgeSide) {}

    private Spawned spawned(String reply, Runnable beforeStep) {
        ScriptedRunner runner = new ScriptedRunner(
                LetterVocabulary.SIZE,
                4,
                100,
                ScriptedRunner.replying(5, LetterVocabulary.ids(reply), LetterVocabulary.END));
        runner.beforeStep(beforeStep);
        CompletableFuture<ActorRef<ReplicaCommand>> ready = new CompletableFuture<>();
        Behavior<ModelHost.Command> behavior = ModelHost.create(
                "letters",
                ModelHostTest::encode,
                listener -> startEngine(runner, listener),
                SETTINGS,
                CLOCK,
                () -> 0L,
                ready);
        ActorRef<ModelHost.Command> owned = kit.spawn(behavior);
        return new Spawned(owned, ready.join());
    }

    private ActorRef<ReplicaCommand> host(String reply) {
        return host(reply, () -> {});
    }

    private Engine startEngine(ScriptedRunner runner, StepListener listener) {
        Engine engine = Engine.start(
                "test",
                runner,
                new LetterVocabulary(),
                List.of(LetterVocabulary.END),
                SamplingDefaults.none(),
                new EngineSettings(16, 16, 1 << 20),
                listener,
                () -> 0L);
        engines.add(engine);
        return engine;
    }

    private static Encoded encode(Prompt prompt) {
        return switch (prompt) {
            case Prompt.Text(String text) -> new Encoded.Ids(TokenIds.of(LetterVocabulary.ids(text)));
            case Prompt.Tokens(TokenIds ids) -> new Encoded.Ids(ids);
            case Prompt.Chat _ -> new Encoded.Refused(new Refusal.TemplateFailed("no template", 1));
        };
    }

    private static Submit submit(Attempt attempt, Prompt prompt, ActorRef<StreamEvent> edge) {
        return new Submit(
                attempt,
                "letters",
                0,
                prompt,
                new Generation(Sampling.greedy(), 1, 0, List.of(), -1),
                List.of(TokenIds.empty()),
                List.of(false),
                0,
                LATER,
                edge);
    }

    private static List<Entry> receiveAll(TestProbe<StreamEvent> edge, Attempt attempt) {
        List<Entry> entries = new ArrayList<>();
        while (entries.isEmpty() || entries.getLast().finish() == null) {
            StepBatch batch = edge.expectMessageClass(StepBatch.class);
            batch.entries().stream()
                    .filter(entry -> entry.attempt().equals(attempt))
                    .forEach(entries::add);
        }
        return entries;
    }

    private static String text(List<Entry> entries) {
        StringBuilder text = new StringBuilder();
        entries.forEach(entry -> text.append(entry.text()));
        return text.toString();
    }

    @Test
    void acceptsBeforeTheFirstEntryAndStreamsToTheEnd() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        Attempt attempt = new Attempt("a", 1);
        ActorRef<ReplicaCommand> host = host("world");
        host.tell(submit(attempt, new Prompt.Text("hello"), edge.getRef()));

        assertThat(edge.receiveMessage())
                .isEqualTo(new Accepted(attempt, host, TokenIds.of(LetterVocabulary.ids("hello"))));
        List<Entry> entries = receiveAll(edge, attempt);
        assertThat(text(entries)).isEqualTo("world");
        assertThat(entries.getLast().finish()).isEqualTo(FinishReason.STOP);
    }

    private static Submit ofEpoch(long epoch, Attempt attempt, ActorRef<StreamEvent> edge) {
        Submit some = submit(attempt, new Prompt.Text("hello"), edge);
        return new Submit(
                attempt,
                some.model(),
                epoch,
                some.prompt(),
                some.generation(),
                some.emitted(),
                some.finished(),
                some.cacheScope(),
                some.deadlineEpochMillis(),
                edge);
    }

    @Test
    void anAttemptOfANewerPinIsForAnotherHost() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        Spawned host = spawned("world", () -> {});
        host.owned().tell(new ModelHost.Pinned(6));
        Attempt newer = new Attempt("newer", 1);
        host.edgeSide().tell(ofEpoch(7, newer, edge.getRef()));
        edge.expectMessage(new Refused(newer, new Refusal.ModelNotReady("letters")));

        host.owned().tell(new ModelHost.Pinned(7));
        for (long epoch : List.of(7L, 6L, 0L)) {
            Attempt attempt = new Attempt("epoch-" + epoch, 1);
            host.edgeSide().tell(ofEpoch(epoch, attempt, edge.getRef()));
            edge.expectMessageClass(Accepted.class);
            receiveAll(edge, attempt);
        }
    }

    @Test
    void continuesBehindEmittedTokens() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        Attempt attempt = new Attempt("b", 2);
        host("world")
                .tell(new Submit(
                        attempt,
                        "letters",
                        0,
                        new Prompt.Tokens(TokenIds.of(LetterVocabulary.ids("hello"))),
                        new Generation(Sampling.greedy(), 2, 0, List.of(), -1),
                        List.of(TokenIds.of(LetterVocabulary.ids("wo")), TokenIds.of(LetterVocabulary.ids("world"))),
                        List.of(false, true),
                        0,
                        LATER,
                        edge.getRef()));

        edge.expectMessageClass(Accepted.class);
        List<Entry> entries = receiveAll(edge, attempt);
        assertThat(text(entries)).isEqualTo("rld");
        assertThat(entries).extracting(Entry::index).containsExactly(2, 3, 4, 5);
        assertThat(entries).extracting(Entry::choice).containsOnly(0);
    }

    @Test
    void sendsOneBatchPerEdgeAndStep() {
        TestProbe<StreamEvent> one = kit.createTestProbe();
        TestProbe<StreamEvent> other = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("world", steps::acquireUninterruptibly);
        host.tell(submit(new Attempt("a", 1), new Prompt.Text("hello"), one.getRef()));
        host.tell(submit(new Attempt("b", 1), new Prompt.Text("hello"), one.getRef()));
        host.tell(submit(new Attempt("c", 1), new Prompt.Text("hello"), other.getRef()));
        one.expectMessageClass(Accepted.class);
        one.expectMessageClass(Accepted.class);
        other.expectMessageClass(Accepted.class);
        steps.release(10_000);

        // Arrivals of one step or of several: in the end both edges have whole texts, each from its own batches alone.
        int entriesOfOne = 0;
        while (entriesOfOne < 12) {
            StepBatch batch = one.expectMessageClass(StepBatch.class);
            assertThat(batch.entries())
                    .extracting(entry -> entry.attempt().requestId())
                    .isSubsetOf("a", "b");
            assertThat(batch.entries()).extracting(Entry::attempt).doesNotHaveDuplicates();
            entriesOfOne += batch.entries().size();
        }
        assertThat(text(receiveAll(other, new Attempt("c", 1)))).isEqualTo("world");
    }

    @Test
    void refusesWhatTheEncoderRefuses() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        Attempt attempt = new Attempt("a", 1);
        Prompt chat = new Prompt.Chat(
                List.of(new dev.meridian.protocol.ChatMessage(dev.meridian.protocol.Role.USER, "hello")));
        host("world").tell(submit(attempt, chat, edge.getRef()));

        edge.expectMessage(new Refused(attempt, new Refusal.TemplateFailed("no template", 1)));
    }

    @Test
    void refusesAnAttemptThatWasSeenBeforeAndALateOne() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("world");
        Attempt second = new Attempt("a", 2);
        host.tell(submit(second, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        receiveAll(edge, second);

        host.tell(submit(second, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessage(new Refused(second, new Refusal.DuplicateAttempt()));
        host.tell(submit(new Attempt("a", 1), new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessage(new Refused(new Attempt("a", 1), new Refusal.DuplicateAttempt()));
        Submit late = submit(new Attempt("b", 1), new Prompt.Text("hello"), edge.getRef());
        host.tell(new Submit(
                late.attempt(),
                late.model(),
                late.epoch(),
                late.prompt(),
                late.generation(),
                late.emitted(),
                late.finished(),
                late.cacheScope(),
                CLOCK.millis(),
                late.edge()));
        edge.expectMessage(new Refused(late.attempt(), new Refusal.DeadlineExceeded()));
    }

    @Test
    void aNewerAttemptReplacesTheOlder() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("world", steps::acquireUninterruptibly);
        host.tell(submit(new Attempt("a", 1), new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        host.tell(submit(new Attempt("a", 2), new Prompt.Text("hello"), edge.getRef()));
        assertThat(edge.expectMessageClass(Accepted.class).attempt()).isEqualTo(new Attempt("a", 2));
        steps.release(10_000);

        assertThat(text(receiveAll(edge, new Attempt("a", 2)))).isEqualTo("world");
    }

    @Test
    void resendsWhatWasMissed() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("world");
        Attempt attempt = new Attempt("a", 1);
        host.tell(submit(attempt, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        List<Entry> entries = receiveAll(edge, attempt);

        host.tell(new ReplicaCommand.Resend(attempt, 0, 3));
        assertThat(edge.expectMessageClass(StepBatch.class).entries()).isEqualTo(entries.subList(3, 6));
    }

    @Test
    void sendsALongGapAgainInSlices() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        Attempt long40 = new Attempt("b", 1);
        ActorRef<ReplicaCommand> host = host("w".repeat(40));
        host.tell(submit(long40, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        List<Entry> entries = receiveAll(edge, long40);
        host.tell(new ReplicaCommand.Resend(long40, 0, 1));
        List<Entry> again = new ArrayList<>();
        while (again.size() < 40) {
            List<Entry> slice = edge.expectMessageClass(StepBatch.class).entries();
            assertThat(slice).hasSizeLessThanOrEqualTo(16);
            again.addAll(slice);
        }
        assertThat(again).isEqualTo(entries.subList(1, 41));
    }

    @Test
    void aFirstTokenGoesOutBeforeTheOtherTokensOfItsStep() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("world", steps::acquireUninterruptibly);
        host.tell(submit(new Attempt("a", 1), new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        steps.release(2);
        edge.expectMessageClass(StepBatch.class);
        edge.expectMessageClass(StepBatch.class);
        Attempt newcomer = new Attempt("b", 1);
        host.tell(submit(newcomer, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);

        steps.release(10_000);
        List<StepBatch> batches = new ArrayList<>();
        while (batches.stream().noneMatch(batch -> isFirstOf(newcomer, batch))) {
            batches.add(edge.expectMessageClass(StepBatch.class));
        }
        StepBatch first = batches.getLast();
        assertThat(first.entries()).hasSize(1);
        assertThat(batches.subList(0, batches.size() - 1))
                .extracting(StepBatch::step)
                .doesNotContain(first.step());
        StepBatch rest = edge.expectMessageClass(StepBatch.class);
        assertThat(rest.step()).isEqualTo(first.step());
        assertThat(rest.entries()).extracting(Entry::attempt).containsExactly(new Attempt("a", 1));
    }

    private static boolean isFirstOf(Attempt attempt, StepBatch batch) {
        return batch.entries().stream().anyMatch(entry -> entry.attempt().equals(attempt) && entry.index() == 0);
    }

    @Test
    void forgetsAnEndedAttemptAfterTheResendWindow() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("world");
        Attempt attempt = new Attempt("a", 1);
        host.tell(submit(attempt, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        receiveAll(edge, attempt);
        time.timePasses(SETTINGS.resendWindow().plusMillis(1));

        host.tell(new ReplicaCommand.Resend(attempt, 0, 3));
        host.tell(submit(attempt, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessage(new Refused(attempt, new Refusal.DuplicateAttempt()));
    }

    @Test
    void heartbeatsListLiveAttemptsEvenBeforeTheirFirstToken() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("world", steps::acquireUninterruptibly);
        Attempt attempt = new Attempt("a", 1);
        host.tell(submit(attempt, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        time.timePasses(SETTINGS.heartbeatInterval());

        assertThat(edge.expectMessageClass(Heartbeat.class)).isEqualTo(new Heartbeat(host, 0, List.of(attempt)));
        steps.release(10_000);
        receiveAll(edge, attempt);
        time.timePasses(SETTINGS.heartbeatInterval());
        edge.expectNoMessage(Duration.ofMillis(50));
    }

    @Test
    void cancelAndTheEdgesDeathFreeTheEngine() {
        TestProbe<StreamEvent> dying = kit.createTestProbe();
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("w".repeat(90), steps::acquireUninterruptibly);
        host.tell(submit(new Attempt("a", 1), new Prompt.Text("hello"), dying.getRef()));
        host.tell(submit(new Attempt("b", 1), new Prompt.Text("hello"), edge.getRef()));
        dying.expectMessageClass(Accepted.class);
        edge.expectMessageClass(Accepted.class);
        steps.release(4);
        edge.expectMessageClass(StepBatch.class);
        host.tell(new ReplicaCommand.Cancel(new Attempt("b", 1)));
        dying.stop();
        // Far fewer permits than the two replies need: only cancellation can empty the engine.
        edge.awaitAssert(() -> {
            steps.release(1);
            assertThat(engines.getFirst().stats().decoding()).isZero();
            return null;
        });
        assertThat(engines.getFirst().stats().decodeTokens()).isLessThan(90);
    }

    @Test
    void aFailedEngineRefusesWhatIsLiveAndWhatComes() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        ActorRef<ReplicaCommand> host = host("world", () -> {
            steps.acquireUninterruptibly();
            throw new IllegalStateException("broken on purpose");
        });
        Attempt attempt = new Attempt("a", 1);
        host.tell(submit(attempt, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        steps.release();

        assertThat(edge.expectMessageClass(Refused.class).reason()).isInstanceOf(Refusal.EngineFailed.class);
        edge.awaitAssert(() -> {
            host.tell(submit(new Attempt("b" + System.nanoTime(), 1), new Prompt.Text("hello"), edge.getRef()));
            assertThat(edge.expectMessageClass(Refused.class).reason()).isEqualTo(new Refusal.ModelNotReady("letters"));
            return null;
        });
    }

    @Test
    void drainingRefusesNewWorkAndLetsTheRestEnd() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        Spawned host = spawned("world", steps::acquireUninterruptibly);
        Attempt attempt = new Attempt("a", 1);
        host.edgeSide().tell(submit(attempt, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        host.owned().tell(new ModelHost.Drain(Duration.ofSeconds(30)));
        Attempt late = new Attempt("b", 1);
        host.edgeSide().tell(submit(late, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessage(new Refused(late, new Refusal.ModelNotReady("letters")));
        steps.release(10_000);
        List<Entry> entries = receiveAll(edge, attempt);

        assertThat(text(entries)).isEqualTo("world");
        host.edgeSide().tell(new ReplicaCommand.Resend(attempt, 0, 5));
        assertThat(edge.expectMessageClass(StepBatch.class).entries())
                .as("sent again while it lingers")
                .isEqualTo(entries.subList(5, 6));
        time.timePasses(Duration.ofSeconds(1));
        edge.expectTerminated(host.owned());
    }

    @Test
    void aHostWithoutStreamsStopsSoonAfterItWasToldToDrain() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        Spawned host = spawned("world", () -> {});
        host.owned().tell(new ModelHost.Drain(Duration.ofSeconds(30)));
        awaitDraining(host, edge);

        time.timePasses(Duration.ofSeconds(1));

        edge.expectTerminated(host.owned());
    }

    @Test
    void aDrainMayEndSoonerThanFirstSaidAndNotLater() {
        TestProbe<StreamEvent> edge = kit.createTestProbe();
        Spawned host = spawned("world", steps::acquireUninterruptibly);
        Attempt attempt = new Attempt("a", 1);
        host.edgeSide().tell(submit(attempt, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessageClass(Accepted.class);
        for (int millis : List.of(200, 100, 150)) {
            host.owned().tell(new ModelHost.Drain(Duration.ofMillis(millis)));
        }
        awaitDraining(host, edge);

        time.timePasses(Duration.ofMillis(99));
        edge.expectNoMessage(Duration.ofMillis(50));
        time.timePasses(Duration.ofMillis(1));

        edge.expectMessage(new StreamEvent.HandOver(host.edgeSide()));
        steps.release();
        assertThat(edge.expectMessageClass(StepBatch.class).entries())
                .as("fed until the edge has moved it")
                .hasSize(1);
        time.timePasses(SETTINGS.handOver());
        awaitEvent(edge, new Refused(attempt, new Refusal.ModelNotReady("letters")));
        awaitDraining(host, edge);
        time.timePasses(Duration.ofSeconds(1));
        edge.expectTerminated(host.owned());
    }

    /** Skips heartbeats. */
    private static void awaitEvent(TestProbe<StreamEvent> edge, StreamEvent expected) {
        StreamEvent event = edge.receiveMessage();
        while (event instanceof Heartbeat) {
            event = edge.receiveMessage();
        }
        assertThat(event).isEqualTo(expected);
    }

    /** A drain is heard once new work is refused. */
    private static void awaitDraining(Spawned host, TestProbe<StreamEvent> edge) {
        Attempt late = new Attempt("late", 1);
        host.edgeSide().tell(submit(late, new Prompt.Text("hello"), edge.getRef()));
        edge.expectMessage(new Refused(late, new Refusal.ModelNotReady("letters")));
    }

    @Test
    void settingsAreThoseOfReferenceConf() {
        assertThat(SETTINGS)
                .isEqualTo(new HostSettings(
                        Duration.ofMillis(250),
                        256,
                        Duration.ofSeconds(10),
                        256,
                        32 << 20,
                        256,
                        Duration.ofSeconds(10),
                        10_000));
    }
}
