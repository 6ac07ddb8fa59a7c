package dev.meridian.edge.stream;

import static dev.meridian.edge.stream.MuxFixture.accept;
import static dev.meridian.edge.stream.MuxFixture.entry;
import static dev.meridian.edge.stream.MuxFixture.heartbeat;
import static dev.meridian.edge.stream.MuxFixture.last;
import static dev.meridian.edge.stream.MuxFixture.send;
import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.stream.MuxFixture.Client;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Resend;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Duration;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class EdgeMuxTest {
    private final MuxFixture fixture = new MuxFixture();
    private final TestProbe<ReplicaCommand> other = fixture.kit.createTestProbe();

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void entriesReachTheJournalInOrderUntilEveryChoiceHasFinished() {
        Client client = fixture.openAccepted("r", 2);
        Submit submit = fixture.submit();
        Attempt attempt = submit.attempt();
        send(submit, fixture.replica, 1, entry(attempt, 0, 0, "a"), entry(attempt, 1, 0, "b"));
        send(submit, fixture.replica, 2, last(attempt, 0, 1, "c"), entry(attempt, 1, 1, "d"));
        fixture.settle();
        assertThat(client.read()).isEqualTo("abcd");
        assertThat(client.end).isNull();
        send(submit, fixture.replica, 3, last(attempt, 1, 2, "e"));
        fixture.settle();
        assertThat(client.read()).isEqualTo("abcde");
        assertThat(client.end).isInstanceOf(StreamEnd.Finished.class);
        assertThat(fixture.activeStreams()).isZero();
        fixture.expectNothingMore(fixture.replica);
    }

    @Test
    void aDuplicatedEntryIsDropped() {
        Client client = fixture.openAccepted("r", 1);
        Attempt attempt = fixture.submit().attempt();
        send(fixture.submit(), fixture.replica, 1, entry(attempt, 0, 0, "a"), entry(attempt, 0, 0, "a"));
        send(fixture.submit(), fixture.replica, 2, entry(attempt, 0, 0, "a"), entry(attempt, 0, 1, "b"));
        fixture.settle();
        assertThat(client.read()).isEqualTo("ab");
    }

    @Test
    void aGapAsksOnceForResendAndGoesOnWhenItIsFilled() {
        Client client = fixture.openAccepted("r", 1);
        Submit submit = fixture.submit();
        Attempt attempt = submit.attempt();
        send(submit, fixture.replica, 1, entry(attempt, 0, 0, "a"));
        send(submit, fixture.replica, 3, entry(attempt, 0, 2, "c"));
        send(submit, fixture.replica, 4, entry(attempt, 0, 3, "d"));
        fixture.replica.expectMessage(new Resend(attempt, 0, 1));
        fixture.expectNothingMore(fixture.replica);
        assertThat(client.read()).isEqualTo("a");
        send(
                submit,
                fixture.replica,
                4,
                entry(attempt, 0, 1, "b"),
                entry(attempt, 0, 2, "c"),
                last(attempt, 0, 3, "d"));
        fixture.settle();
        assertThat(client.read()).isEqualTo("abcd");
        assertThat(client.end).isInstanceOf(StreamEnd.Finished.class);
    }

    @Test
    void entriesThatOvertookAcceptedAreAskedForAgain() {
        Client client = fixture.open("r", 1, 0);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        Attempt attempt = submit.attempt();
        send(submit, fixture.replica, 1, last(attempt, 0, 0, "a"));
        accept(submit, fixture.replica);
        fixture.replica.expectMessage(new Resend(attempt, 0, 0));
        send(submit, fixture.replica, 1, last(attempt, 0, 0, "a"));
        fixture.settle();
        assertThat(client.read()).isEqualTo("a");
        assertThat(client.end).isInstanceOf(StreamEnd.Finished.class);
    }

    @Test
    void entriesThatTheProducerHasForgottenStartTheNextAttempt() {
        MuxFixture.Client client = fixture.openAccepted("r", 1);
        Submit first = fixture.submit();
        Attempt attempt = first.attempt();
        MuxFixture.send(first, fixture.replica, 1, MuxFixture.entry(attempt, 0, 0, "a"));
        MuxFixture.send(first, fixture.replica, 3, MuxFixture.entry(attempt, 0, 2, "c"));
        fixture.replica.expectMessage(new Resend(attempt, 0, 1));
        // Of entries that are not missing, or of another attempt: nothing happens.
        first.edge().tell(new StreamEvent.EntriesForgotten(attempt, 0, 0));
        first.edge().tell(new StreamEvent.EntriesForgotten(attempt.next(), 0, 1));
        first.edge().tell(new StreamEvent.EntriesForgotten(attempt, 7, 1));
        fixture.expectNothingMore(fixture.replica);
        first.edge().tell(new StreamEvent.EntriesForgotten(attempt, 0, 1));

        fixture.replica.expectMessage(new ReplicaCommand.Cancel(attempt));
        Submit second = fixture.replica.expectMessageClass(Submit.class);
        assertThat(second.attempt()).isEqualTo(attempt.next());
        assertThat(second.emitted()).containsExactly(TokenIds.of(100));
        MuxFixture.accept(second, fixture.replica);
        MuxFixture.send(second, fixture.replica, 4, MuxFixture.last(second.attempt(), 0, 1, "b"));
        fixture.settle();
        assertThat(client.read()).isEqualTo("ab");
    }

    @Test
    void aReplicaThatIsAboutToStopIsLeftByOneStreamAfterTheOtherAndFeedsTheRestMeanwhile() {
        Client[] clients = new Client[3];
        Submit[] submits = new Submit[3];
        for (int i = 0; i < 3; i++) {
            clients[i] = fixture.openAccepted("r" + i, 1);
            submits[i] = fixture.submit();
        }
        submits[0].edge().tell(new StreamEvent.HandOver(fixture.replica.getRef()));
        fixture.expectNothingMore(fixture.replica); // There is no other.
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.TICK);

        Submit moved = other.expectMessageClass(Submit.class);
        fixture.replica.expectMessage(new Cancel(new Attempt(id(moved), 1)));
        fixture.expectNothingMore(other);
        for (int i = 0; i < 3; i++) {
            send(submits[i], fixture.replica, 1, entry(submits[i].attempt(), 0, 0, "a"));
            fixture.settle();
            assertThat(clients[i].read()).isEqualTo(clients[i].id.equals(id(moved)) ? "" : "a");
        }
        fixture.replica.expectMessageClass(Cancel.class); // For an entry of the one that has left.
        accept(moved, other);
        fixture.expectNothingMore(other);
        send(moved, other, 7, entry(moved.attempt(), 0, 0, "x"));

        Submit next = other.expectMessageClass(Submit.class);
        assertThat(id(next)).isNotEqualTo(id(moved));
        assertThat(next.emitted()).containsExactly(TokenIds.of(100));
        fixture.expectNothingMore(other);
        fixture.mux.tell(new EdgeMux.ClientGone(id(next)));
        other.expectMessage(new Cancel(next.attempt()));
        fixture.pass(MuxFixture.TICK);
        assertThat(id(other.expectMessageClass(Submit.class))).isNotIn(id(moved), id(next));
    }

    private static String id(Submit submit) {
        return submit.attempt().requestId();
    }

    @Test
    void tooManyGapsStartTheNextAttempt() {
        fixture.openAccepted("r", 1);
        Submit submit = fixture.submit();
        Attempt attempt = submit.attempt();
        send(submit, fixture.replica, 1, entry(attempt, 0, 1, "b"));
        send(submit, fixture.replica, 2, entry(attempt, 0, 0, "a"), entry(attempt, 0, 2, "c"));
        send(submit, fixture.replica, 3, entry(attempt, 0, 1, "b"), entry(attempt, 0, 3, "d"));
        fixture.replica.expectMessage(new Resend(attempt, 0, 0));
        fixture.replica.expectMessage(new Resend(attempt, 0, 1));
        fixture.replica.expectMessage(new Cancel(attempt));
        Submit next = fixture.replica.expectMessageClass(Submit.class);
        assertThat(next.attempt()).isEqualTo(new Attempt("r", 2));
        assertThat(next.emitted()).containsExactly(TokenIds.of(100, 101));
    }

    @Test
    void entriesOfStrangersAreCancelledAtTheirProducer() {
        Client client = fixture.openAccepted("r", 1);
        Submit submit = fixture.submit();
        Attempt attempt = submit.attempt();
        send(submit, other, 1, entry(attempt, 0, 0, "x"));
        other.expectMessage(new Cancel(attempt));
        send(submit, other, 1, entry(attempt.next(), 0, 0, "x"));
        other.expectMessage(new Cancel(attempt.next()));
        Attempt unknown = new Attempt("nobody", 1);
        send(submit, other, 1, entry(unknown, 0, 0, "x"));
        other.expectMessage(new Cancel(unknown));
        heartbeat(submit, other, 1, unknown);
        other.expectMessage(new Cancel(unknown));
        assertThat(client.read()).isEmpty();
        fixture.expectNothingMore(fixture.replica);
    }

    @Test
    void anUnansweredSubmitIsSentAgainWithDoubledPatience() {
        fixture.open("r", 1, 0);
        Submit first = fixture.replica.expectMessageClass(Submit.class);
        fixture.pass(MuxFixture.ACCEPT);
        fixture.replica.expectMessage(new Cancel(first.attempt()));
        Submit second = fixture.replica.expectMessageClass(Submit.class);
        assertThat(second.attempt()).isEqualTo(new Attempt("r", 2));
        fixture.pass(MuxFixture.ACCEPT);
        fixture.expectNothingMore(fixture.replica);
        accept(first, fixture.replica);
        fixture.replica.expectMessage(new Cancel(first.attempt()));
        fixture.opening.expectNoMessage(Duration.ZERO);
        accept(second, fixture.replica);
        fixture.opening.expectMessage(new EdgeMux.Opened(3, MuxFixture.SERVED_BY));
    }

    @Test
    void aSilentReplicaLosesTheStreamToAnotherThatGoesOnWithoutLoss() {
        Client client = fixture.openAccepted("r", 2);
        Submit submit = fixture.submit();
        Attempt attempt = submit.attempt();
        send(submit, fixture.replica, 1, last(attempt, 0, 0, "a"), entry(attempt, 1, 0, "b"));
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        fixture.replica.expectMessage(new Cancel(attempt));
        Submit next = other.expectMessageClass(Submit.class);
        assertThat(next.attempt()).isEqualTo(new Attempt("r", 2));
        assertThat(next.prompt()).isEqualTo(new Prompt.Tokens(TokenIds.of(1, 2, 3)));
        assertThat(next.emitted()).containsExactly(TokenIds.of(100), TokenIds.of(100));
        assertThat(next.finished()).containsExactly(true, false);
        accept(next, other);
        send(submit, fixture.replica, 2, entry(attempt, 1, 1, "late"));
        send(next, other, 7, last(next.attempt(), 1, 1, "c"));
        fixture.settle();
        assertThat(client.read()).isEqualTo("abc");
        assertThat(client.end).isInstanceOf(StreamEnd.Finished.class);
        fixture.replica.expectMessage(new Cancel(attempt));
    }

    @Test
    void heartbeatsKeepAQueuedStreamWhereItIs() {
        fixture.openAccepted("r", 1);
        fixture.directory.put("m", other.getRef());
        for (int step = 0; step < 30; step++) {
            heartbeat(fixture.submit(), fixture.replica, step, fixture.submit().attempt());
            fixture.pass(Duration.ofMillis(300));
        }
        fixture.expectNothingMore(other);
        fixture.expectNothingMore(fixture.replica);
    }

    @Test
    void aStepThatStandsStillMovesTheStream() {
        fixture.openAccepted("r", 1);
        fixture.directory.put("m", other.getRef());
        for (Duration passed = Duration.ZERO;
                passed.compareTo(MuxFixture.STALL) <= 0;
                passed = passed.plusMillis(300)) {
            heartbeat(fixture.submit(), fixture.replica, 42, fixture.submit().attempt());
            fixture.pass(Duration.ofMillis(300));
        }
        assertThat(other.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
    }

    @Test
    void aSlowReplicaThatIsTheOnlyOneKeepsTheStreamUntilTheDeadline() {
        Client client = fixture.openAccepted("r", 1);
        for (int second = 1; second < MuxFixture.DEADLINE.toSeconds(); second++) {
            fixture.pass(Duration.ofMillis(900));
            heartbeat(fixture.submit(), fixture.replica, 42, fixture.submit().attempt());
            fixture.pass(Duration.ofMillis(100));
        }
        fixture.expectNothingMore(fixture.replica);
        fixture.pass(Duration.ofSeconds(1));
        fixture.replica.expectMessage(new Cancel(fixture.submit().attempt()));
        client.read();
        assertThat(client.end)
                .isEqualTo(new StreamEnd.Failed(new StreamFailure.ByReplica(new Refusal.DeadlineExceeded())));
        assertThat(fixture.activeStreams()).isZero();
    }

    @Test
    void anAttemptThatItsProducerForgotStartsAnewThere() {
        fixture.openAccepted("r", 1);
        send(fixture.submit(), fixture.replica, 1, entry(fixture.submit().attempt(), 0, 0, "a"));
        for (int step = 2; step < 6; step++) {
            fixture.pass(Duration.ofMillis(300));
            heartbeat(fixture.submit(), fixture.replica, step);
        }
        fixture.replica.expectMessage(new Cancel(new Attempt("r", 1)));
        assertThat(fixture.replica.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
    }

    @Test
    void aDeadReplicaHandsItsStreamsToAnotherAtOnce() {
        fixture.openAccepted("r", 1);
        fixture.directory.put("m", other.getRef());
        fixture.replica.stop();
        assertThat(other.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
    }

    @Test
    void aStreamOfADeadReplicaWaitsForAnotherAndEndsByNameWhereNoneComes() {
        Client client = fixture.openAccepted("r", 1);
        fixture.replica.stop();
        fixture.kit.createTestProbe().awaitAssert(Duration.ofSeconds(5), () -> {
            fixture.pass(MuxFixture.TICK.multipliedBy(5));
            client.read();
            assertThat(client.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.ReplicaLost("m")));
            return null;
        });
    }

    @Test
    void aStreamOfADeadReplicaGoesOnAtOneThatComesLater() {
        fixture.openAccepted("r", 1);
        fixture.replica.stop();
        fixture.pass(MuxFixture.REPLICA_WAIT.minus(MuxFixture.TICK.multipliedBy(2)));
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.TICK);
        assertThat(other.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
    }

    @Test
    void aClientThatLeftIsCancelledAndFreed() {
        fixture.openAccepted("r", 1);
        fixture.mux.tell(new EdgeMux.ClientGone("r"));
        fixture.replica.expectMessage(new Cancel(fixture.submit().attempt()));
        fixture.mux.tell(new EdgeMux.ClientGone("r"));
        fixture.expectNothingMore(fixture.replica);
        assertThat(fixture.activeStreams()).isZero();
    }

    @Test
    void aRefusalEndsTheRequestUnlessAnotherReplicaMayTakeIt() {
        fixture.open("r", 1, 0);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        submit.edge().tell(new StreamEvent.Refused(submit.attempt(), new Refusal.QueueFull(4)));
        fixture.opening.expectMessage(new EdgeMux.Rejected(new StreamFailure.ByReplica(new Refusal.QueueFull(4))));

        fixture.open("s", 1, 0);
        Submit second = fixture.replica.expectMessageClass(Submit.class);
        fixture.directory.put("m", other.getRef());
        second.edge().tell(new StreamEvent.Refused(second.attempt(), new Refusal.QueueFull(4)));
        assertThat(other.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("s", 2));
    }

    @Test
    void aMovedStreamWaitsForRoomInAFullQueue() {
        fixture.openAccepted("r", 1);
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        Submit second = other.expectMessageClass(Submit.class);
        second.edge().tell(new StreamEvent.Refused(second.attempt(), new Refusal.QueueFull(4)));
        fixture.pass(MuxFixture.ACCEPT);
        other.expectMessage(new Cancel(second.attempt()));
        assertThat(other.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 3));
    }

    @Test
    void aChoiceThatNeverFinishesIsStoppedAtItsTokenLimit() {
        Client client = fixture.open("r", 1, 2);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        accept(submit, fixture.replica);
        send(submit, fixture.replica, 1, entry(submit.attempt(), 0, 0, "a"), entry(submit.attempt(), 0, 1, "b"));
        fixture.replica.expectMessage(new Cancel(submit.attempt()));
        fixture.settle();
        assertThat(client.read()).isEqualTo("ab");
        assertThat(client.end).isInstanceOf(StreamEnd.Failed.class);
    }

    @Test
    void streamsAreBounded() {
        fixture.openAccepted("a", 1);
        fixture.openAccepted("b", 1);
        fixture.openAccepted("c", 1);
        fixture.open("d", 1, 0);
        fixture.opening.expectMessage(new EdgeMux.Rejected(new StreamFailure.TooManyStreams(3)));
        fixture.expectNothingMore(fixture.replica);
    }

    @Test
    void aHealthCheckIsInNoMetric() {
        fixture.openProbe("ready");
        Submit probe = fixture.replica.expectMessageClass(Submit.class);
        accept(probe, fixture.replica);
        fixture.opening.expectMessage(new EdgeMux.Opened(3, MuxFixture.SERVED_BY));
        assertThat(fixture.activeStreams()).isZero();
        fixture.openAccepted("r", 1);
        assertThat(fixture.activeStreams()).isEqualTo(1);
        send(probe, fixture.replica, 1, last(probe.attempt(), 0, 0, "a"));
        fixture.settle();
        assertThat(fixture.activeStreams()).isEqualTo(1);
        assertThat(fixture.count("meridian.decode.tokens")).isZero();
        assertThat(fixture.count("meridian.prefill.tokens")).isEqualTo(3);
        fixture.mux.tell(new EdgeMux.ClientGone("r"));
        fixture.settle();
        assertThat(fixture.activeStreams()).isZero();
    }

    @Test
    void drainingRefusesNewStreamsAndEndsTheRestWhenTheGraceIsOver() {
        Client client = fixture.openAccepted("r", 1);
        TestProbe<Done> done = fixture.kit.createTestProbe();
        fixture.mux.tell(new EdgeMux.Drain(Duration.ofSeconds(2), done.getRef()));
        fixture.open("late", 1, 0);
        fixture.opening.expectMessage(new EdgeMux.Rejected(new StreamFailure.ShuttingDown()));
        send(fixture.submit(), fixture.replica, 1, entry(fixture.submit().attempt(), 0, 0, "a"));
        fixture.pass(Duration.ofSeconds(1));
        assertThat(client.read()).isEqualTo("a");
        fixture.mux.tell(new EdgeMux.GraceOver());
        done.expectMessage(Done.getInstance());
        fixture.replica.expectMessage(new Cancel(fixture.submit().attempt()));
        client.read();
        assertThat(client.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.ShuttingDown()));
    }
}
