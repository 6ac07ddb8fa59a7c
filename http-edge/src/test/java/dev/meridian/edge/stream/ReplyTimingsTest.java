package dev.meridian.edge.stream;

import static dev.meridian.edge.stream.MuxFixture.accept;
import static dev.meridian.edge.stream.MuxFixture.entry;
import static dev.meridian.edge.stream.MuxFixture.last;
import static dev.meridian.edge.stream.MuxFixture.send;
import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.stream.MuxFixture.Client;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Timings;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.time.Duration;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ReplyTimingsTest {
    private final MuxFixture fixture = new MuxFixture();

    @AfterEach
    void stop() {
        fixture.close();
    }

    private static Entry timed(Entry entry, Timings timings) {
        return new Entry(
                entry.attempt(),
                entry.choice(),
                entry.index(),
                entry.tokenId(),
                entry.text(),
                null,
                entry.alternatives(),
                entry.finish(),
                timings);
    }

    private static Client end(Client client) {
        client.read();
        return client;
    }

    @Test
    void theFirstChoiceToStartGivesTheStartAndTheLastToEndGivesTheEnd() {
        Client client = fixture.openAccepted("r", 2);
        Submit submit = fixture.submit();
        Attempt attempt = submit.attempt();
        fixture.pass(Duration.ofMillis(300));
        send(submit, fixture.replica, 1, timed(entry(attempt, 1, 0, "b"), new Timings(7_000, 90_000, 0, 2)));
        fixture.pass(Duration.ofMillis(100));
        send(submit, fixture.replica, 2, timed(entry(attempt, 0, 0, "a"), new Timings(200_000, 80_000, 0, 0)));
        send(submit, fixture.replica, 3, timed(last(attempt, 1, 1, "b"), new Timings(7_000, 90_000, 55, 2)));
        fixture.pass(Duration.ofMillis(400));
        send(submit, fixture.replica, 4, timed(last(attempt, 0, 1, "a"), new Timings(200_000, 80_000, 77, 0)));
        fixture.settle();
        assertThat(end(client).end)
                .isEqualTo(
                        new StreamEnd.Finished(new ReplyTimings(7_000, 90_000, 300_000, 500_000, 800_000, false), 2));
    }

    @Test
    void noMoreTokensAreCachedThanThePromptHas() {
        Client client = fixture.openAccepted("r", 1);
        Submit submit = fixture.submit();
        send(submit, fixture.replica, 1, timed(last(submit.attempt(), 0, 0, "a"), new Timings(0, 0, 0, 4_000)));
        fixture.settle();
        assertThat(end(client).end)
                .isInstanceOfSatisfying(
                        StreamEnd.Finished.class,
                        finished -> assertThat(finished.cachedTokens()).isEqualTo(3));
    }

    @Test
    void aFailoverAfterTheFirstTokenCountsAsDecode() {
        TestProbe<ReplicaCommand> other = fixture.kit.createTestProbe();
        Client client = fixture.openAccepted("r", 1);
        Submit submit = fixture.submit();
        fixture.pass(Duration.ofMillis(200));
        send(submit, fixture.replica, 1, timed(entry(submit.attempt(), 0, 0, "a"), new Timings(1_000, 2_000, 0, 1)));
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        Submit second = other.expectMessageClass(Submit.class);
        accept(second, other);
        send(second, other, 1, timed(entry(second.attempt(), 0, 1, "b"), new Timings(3_000, 4_000, 0, 3)));
        fixture.pass(Duration.ofMillis(100));
        send(second, other, 2, timed(last(second.attempt(), 0, 2, "c"), new Timings(3_000, 4_000, 100_000, 3)));
        fixture.settle();
        assertThat(end(client).end)
                .isEqualTo(new StreamEnd.Finished(
                        new ReplyTimings(1_000, 2_000, 200_000, 1_100_000, 1_300_000, false), 1));
    }

    @Test
    void aFailoverBeforeTheFirstTokenCountsUntilTheFirstToken() {
        TestProbe<ReplicaCommand> other = fixture.kit.createTestProbe();
        Client client = fixture.openAccepted("r", 1);
        fixture.directory.put("m", other.getRef());
        fixture.pass(MuxFixture.SILENCE);
        Submit second = other.expectMessageClass(Submit.class);
        accept(second, other);
        fixture.pass(Duration.ofMillis(100));
        send(second, other, 1, timed(last(second.attempt(), 0, 0, "a"), new Timings(3_000, 4_000, 0, 3)));
        fixture.settle();
        assertThat(end(client).end)
                .isEqualTo(new StreamEnd.Finished(new ReplyTimings(3_000, 4_000, 1_100_000, 0, 1_100_000, false), 3));
    }
}
