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
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a request gets another attempt, where that goes, and what its client hears when none is left. */
final class EdgeMuxRecoveryTest {
    private static final Duration BEAT = Duration.ofMillis(300);

    private final MuxFixture fixture = new MuxFixture();
    private final TestProbe<ReplicaCommand> other = fixture.kit.createTestProbe();

    @AfterEach
    void stop() {
        fixture.close();
    }

    /** Lets time pass while the first replica's heartbeats list {@code live}. */
    private void beat(Submit submit, int times, Attempt... live) {
        for (int i = 0; i < times; i++) {
            heartbeat(submit, fixture.replica, 7, live);
            fixture.pass(BEAT);
        }
    }

    @Test
    void onlyTheFirstAttemptGoesByTheEntrance() {
        TestProbe<ReplicaCommand> entrance = fixture.kit.createTestProbe();
        fixture.entrance = entrance.getRef();
        fixture.open("r", 1, 0);
        Submit first = entrance.expectMessageClass(Submit.class);
        assertThat(first.epoch()).isEqualTo(MuxFixture.EPOCH);
        fixture.expectNothingMore(fixture.replica);

        fixture.pass(MuxFixture.ACCEPT);
        fixture.replica.expectMessage(new Cancel(first.attempt()));
        assertThat(fixture.replica.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
        assertThat(fixture.unanswered).containsExactly(fixture.replica.getRef());
        fixture.expectNothingMore(entrance);
    }

    @Test
    void everyAttemptHasTheCacheScopeOfItsRequest() {
        fixture.openAccepted("r", 1);
        assertThat(fixture.submit().cacheScope()).isEqualTo(MuxFixture.SCOPE);
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        Submit second = other.expectMessageClass(Submit.class);
        assertThat(second.attempt()).isEqualTo(new Attempt("r", 2));
        assertThat(second.cacheScope()).isEqualTo(MuxFixture.SCOPE);
    }

    @Test
    void whoAcceptsAFirstAttemptIsItsReplicaThoughAnotherWasChosen() {
        fixture.entrance = other.getRef();
        fixture.open("r", 1, 0);
        Submit first = other.expectMessageClass(Submit.class);
        accept(first, other);
        fixture.opening.expectMessage(new EdgeMux.Opened(3, MuxFixture.SERVED_BY));
        other.stop();
        assertThat(fixture.replica.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
    }

    @Test
    void aStreamWhoseLastReplicaNeverAnswersEndsWhenNoneComes() {
        Client client = fixture.openAccepted("r", 1);
        send(fixture.submit(), fixture.replica, 1, entry(fixture.submit().attempt(), 0, 0, "a"));
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        assertThat(other.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
        fixture.directory.clear();

        fixture.pass(MuxFixture.ACCEPT.multipliedBy(4).plus(MuxFixture.REPLICA_WAIT));

        client.read();
        assertThat(client.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.ReplicaLost("m")));
    }

    @Test
    void aStreamWhoseLastReplicaDidNotAnswerAsksItAgainWhenItIsBack() {
        fixture.openAccepted("r", 1);
        send(fixture.submit(), fixture.replica, 1, entry(fixture.submit().attempt(), 0, 0, "a"));
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        Submit second = other.expectMessageClass(Submit.class);
        fixture.directory.clear();
        fixture.pass(MuxFixture.ACCEPT.multipliedBy(4));
        fixture.expectNothingMore(other);

        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.TICK);

        other.expectMessage(new Cancel(second.attempt()));
        assertThat(other.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 3));
    }

    @Test
    void aNewStreamWaitsTwiceForAReplicaThatIsNotReady() {
        fixture.open("r", 1, 0);
        for (int attempt = 1; attempt <= 3; attempt++) {
            Submit submit = fixture.replica.expectMessageClass(Submit.class);
            assertThat(submit.attempt().number()).isEqualTo(attempt);
            submit.edge().tell(new StreamEvent.Refused(submit.attempt(), new Refusal.ModelNotReady("m")));
            fixture.settle();
            if (attempt < 3) {
                fixture.pass(MuxFixture.ACCEPT);
                fixture.replica.expectMessage(new Cancel(submit.attempt()));
            }
        }
        fixture.opening.expectMessage(
                new EdgeMux.Rejected(new StreamFailure.ByReplica(new Refusal.ModelNotReady("m"))));
    }

    @Test
    void aPromptThatTakesLongToPrepareIsNotSubmittedAgain() {
        fixture.open("r", 1, 0);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        fixture.directory.put("m", other.getRef());
        fixture.pass(BEAT);
        beat(submit, 30, submit.attempt());
        fixture.expectNothingMore(fixture.replica);
        fixture.expectNothingMore(other);
        accept(submit, fixture.replica);
        fixture.opening.expectMessage(new EdgeMux.Opened(3, MuxFixture.SERVED_BY));
    }

    @Test
    void aPromptWhoseReplicaFallsSilentWhilePreparingIsSubmittedAgain() {
        fixture.open("r", 1, 0);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        fixture.pass(BEAT);
        beat(submit, 5, submit.attempt());
        fixture.expectNothingMore(fixture.replica);
        fixture.pass(MuxFixture.SILENCE);
        fixture.replica.expectMessage(new Cancel(submit.attempt()));
        assertThat(fixture.replica.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
    }

    @Test
    void aLostAcceptedIsNotWaitedForOnceEntriesAreHere() {
        fixture.open("r", 1, 0);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        fixture.pass(BEAT);
        beat(submit, 5, submit.attempt());
        send(submit, fixture.replica, 8, entry(submit.attempt(), 0, 0, "a"));
        beat(submit, 1, submit.attempt());
        fixture.replica.expectMessage(new Cancel(submit.attempt()));
        assertThat(fixture.replica.expectMessageClass(Submit.class).attempt()).isEqualTo(new Attempt("r", 2));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRequestThatIsOutOfAttemptsHearsItsLastRefusal(boolean anotherAppears) {
        Client client = fixture.openAccepted("r", 1);
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        for (int number = 2; number <= MuxFixture.SETTINGS.maxAttempts(); number++) {
            Submit next = other.expectMessageClass(Submit.class);
            assertThat(next.attempt()).isEqualTo(new Attempt("r", number));
            client.read();
            assertThat(client.end).isNull();
            if (anotherAppears && number == MuxFixture.SETTINGS.maxAttempts()) {
                fixture.directory.put("m", fixture.replica.getRef());
            }
            next.edge().tell(new StreamEvent.Refused(next.attempt(), new Refusal.QueueFull(number)));
            fixture.settle();
            if (number < MuxFixture.SETTINGS.maxAttempts()) {
                fixture.pass(MuxFixture.ACCEPT);
                other.expectMessage(new Cancel(next.attempt()));
            }
        }
        client.read();
        assertThat(client.end)
                .isEqualTo(new StreamEnd.Failed(
                        new StreamFailure.ByReplica(new Refusal.QueueFull(MuxFixture.SETTINGS.maxAttempts()))));
        fixture.replica.expectMessage(new Cancel(new Attempt("r", 1)));
        fixture.expectNothingMore(fixture.replica);
    }

    @Test
    void aRefusedStreamWhoseReplicaLeftTheDirectoryHearsThat() {
        Client client = fixture.openAccepted("r", 1);
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        Submit next = other.expectMessageClass(Submit.class);
        next.edge().tell(new StreamEvent.Refused(next.attempt(), new Refusal.QueueFull(4)));
        fixture.settle();
        fixture.directory.clear();
        fixture.pass(MuxFixture.ACCEPT);
        client.read();
        assertThat(client.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.ReplicaLost("m")));
    }

    /** It doubles with each attempt. */
    private static Duration patience(int attempt) {
        return MuxFixture.SILENCE.multipliedBy(1L << (attempt - 1));
    }

    private TestProbe<ReplicaCommand> replicaOfAttempt(int number) {
        return number % 2 == 0 ? other : fixture.replica;
    }

    @Test
    void aRequestWhoseAttemptsWereAllLostHearsThatAndNotThatThereIsNoReplica() {
        Client client = fixture.openAccepted("r", 1);
        for (int number = 2; number <= MuxFixture.SETTINGS.maxAttempts(); number++) {
            TestProbe<ReplicaCommand> from = replicaOfAttempt(number - 1);
            TestProbe<ReplicaCommand> to = replicaOfAttempt(number);
            fixture.directory.put("m", to.getRef());
            fixture.pass(patience(number - 1));
            from.expectMessage(new Cancel(new Attempt("r", number - 1)));
            Submit next = to.expectMessageClass(Submit.class);
            assertThat(next.attempt()).isEqualTo(new Attempt("r", number));
            accept(next, to);
            fixture.settle();
        }
        fixture.directory.put(
                "m", replicaOfAttempt(MuxFixture.SETTINGS.maxAttempts() + 1).getRef());
        fixture.pass(patience(MuxFixture.SETTINGS.maxAttempts()));
        client.read();
        assertThat(client.end)
                .isEqualTo(
                        new StreamEnd.Failed(new StreamFailure.AttemptsExhausted(MuxFixture.SETTINGS.maxAttempts())));
    }

    @Test
    void onlyAttemptsElsewhereOrAfterALossAreFailovers() {
        fixture.open("r", 1, 0);
        fixture.pass(MuxFixture.ACCEPT);
        assertThat(nextSubmit(fixture.replica, 2).prompt()).isInstanceOf(Prompt.Chat.class);
        assertThat(fixture.count("meridian.failovers")).as("unanswered").isZero();
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.ACCEPT.multipliedBy(2));
        Submit third = nextSubmit(other, 3);
        assertThat(fixture.count("meridian.failovers")).as("elsewhere").isEqualTo(1);
        third.edge().tell(new StreamEvent.Refused(third.attempt(), new Refusal.QueueFull(4)));
        fixture.pass(MuxFixture.ACCEPT);
        Submit fourth = nextSubmit(other, 4);
        assertThat(fixture.count("meridian.failovers")).as("no room").isEqualTo(1);
        accept(fourth, other);
        fixture.settle();
        for (int i = 0; i < 4; i++) {
            heartbeat(fourth, other, 7);
            fixture.pass(BEAT);
        }
        nextSubmit(other, 5);
        assertThat(fixture.count("meridian.failovers")).as("forgotten").isEqualTo(2);
    }

    private static Submit nextSubmit(TestProbe<ReplicaCommand> replica, int number) {
        while (true) {
            if (replica.receiveMessage() instanceof Submit submit
                    && submit.attempt().number() == number) {
                return submit;
            }
        }
    }

    @Test
    void aReplicaThatLostTheLastBatchAndSaysNothingIsAskedAgain() {
        Client client = fixture.openAccepted("r", 2);
        Submit submit = fixture.submit();
        Attempt attempt = submit.attempt();
        send(submit, fixture.replica, 1, last(attempt, 0, 0, "a"), entry(attempt, 1, 0, "b"));
        fixture.pass(MuxFixture.SILENCE.multipliedBy(3).minus(MuxFixture.TICK));
        fixture.expectNothingMore(fixture.replica);
        fixture.pass(MuxFixture.TICK);
        fixture.replica.expectMessage(new Cancel(attempt));
        Submit next = fixture.replica.expectMessageClass(Submit.class);
        assertThat(next.attempt()).isEqualTo(new Attempt("r", 2));
        assertThat(next.prompt()).isEqualTo(new Prompt.Tokens(TokenIds.of(1, 2, 3)));
        assertThat(next.emitted()).containsExactly(TokenIds.of(100), TokenIds.of(100));
        assertThat(next.finished()).containsExactly(true, false);
        accept(next, fixture.replica);
        send(submit, fixture.replica, 2, last(attempt, 1, 1, "c"));
        send(next, fixture.replica, 3, last(next.attempt(), 1, 1, "c"));
        fixture.settle();
        assertThat(client.read()).isEqualTo("abc");
        assertThat(client.end).isInstanceOf(StreamEnd.Finished.class);
        fixture.replica.expectMessage(new Cancel(attempt));
        fixture.expectNothingMore(fixture.replica);
    }

    @Test
    void aReplicaThatStaysSilentIsAskedAFewTimesUntilTheDeadline() {
        Client client = fixture.openAccepted("r", 1);
        fixture.pass(MuxFixture.DEADLINE);
        for (int number = 2; number <= MuxFixture.SETTINGS.maxAttempts(); number++) {
            fixture.replica.expectMessage(new Cancel(new Attempt("r", number - 1)));
            assertThat(fixture.replica.expectMessageClass(Submit.class).attempt())
                    .isEqualTo(new Attempt("r", number));
        }
        fixture.replica.expectMessage(new Cancel(new Attempt("r", MuxFixture.SETTINGS.maxAttempts())));
        fixture.expectNothingMore(fixture.replica);
        client.read();
        assertThat(client.end)
                .isEqualTo(new StreamEnd.Failed(new StreamFailure.ByReplica(new Refusal.DeadlineExceeded())));
    }

    @Test
    void aReplicaWhoseHeartbeatsGoOnIsNotAskedAgain() {
        fixture.openAccepted("r", 1);
        beat(fixture.submit(), 30, fixture.submit().attempt());
        fixture.expectNothingMore(fixture.replica);
    }

    @Test
    void aBoundRequestGoesNowhereElseWhateverHappens() {
        fixture.regions.put(other.getRef(), "us");
        fixture.directory.put("m", other.getRef());
        fixture.openBound("refused", "eu");
        assertThat(fixture.opening.receiveMessage())
                .isEqualTo(new EdgeMux.Rejected(new StreamFailure.NoAllowedRegion("m", Residency.in(List.of("eu")))));

        fixture.directory.put("m", fixture.replica.getRef());
        MuxFixture.Client client = fixture.openBound("lost", "eu", "asia");
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        MuxFixture.accept(submit, fixture.replica);
        fixture.directory.put("m", other.getRef());
        submit.edge().tell(new StreamEvent.HandOver(fixture.replica.getRef()));
        submit.edge().tell(new StreamEvent.EntriesForgotten(submit.attempt(), 0, 0));
        submit.edge().tell(new StreamEvent.Refused(submit.attempt().next(), new Refusal.QueueFull(1)));
        fixture.pass(MuxFixture.SILENCE.multipliedBy(20));
        fixture.replica.stop();
        fixture.pass(MuxFixture.REPLICA_WAIT.multipliedBy(2));

        other.expectNoMessage(Duration.ofMillis(100));
        client.read();
        assertThat(client.end).isEqualTo(new StreamEnd.Failed(new StreamFailure.ReplicaLost("m")));
    }
}
