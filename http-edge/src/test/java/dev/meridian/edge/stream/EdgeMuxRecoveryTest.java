package dev.meridian.edge.stream;

import static dev.meridian.edge.stream.MuxFixture.accept;
import static dev.meridian.edge.stream.MuxFixture.entry;
import static dev.meridian.edge.stream.MuxFixture.heartbeat;
import static dev.meridian.edge.stream.MuxFixture.send;
import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.time.Duration;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

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
    void aPromptThatTakesLongToPrepareIsNotSubmittedAgain() {
        fixture.open("r", 1, 0);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        fixture.directory.put("m", other.getRef());
        fixture.pass(BEAT);
        beat(submit, 30, submit.attempt());
        fixture.expectNothingMore(fixture.replica);
        fixture.expectNothingMore(other);
        accept(submit, fixture.replica);
        fixture.opening.expectMessage(new EdgeMux.Opened(3));
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
}
