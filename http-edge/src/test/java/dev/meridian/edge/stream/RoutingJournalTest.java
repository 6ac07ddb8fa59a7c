package dev.meridian.edge.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.stream.RoutingJournal.Decision;
import dev.meridian.edge.stream.RoutingJournal.Routing;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where an edge in the region eu sent requests, as it remembers it. */
final class RoutingJournalTest {
    private final MuxFixture fixture = new MuxFixture();
    private final TestProbe<ReplicaCommand> other = fixture.kit.createTestProbe();

    @AfterEach
    void shutdown() {
        fixture.close();
    }

    private List<String> decisions(String request) {
        fixture.settle();
        return fixture.routes.find(request).orElseThrow().decisions().stream()
                .map(decision -> decision.attempt() + " " + decision.servedBy() + ": " + decision.why())
                .toList();
    }

    @Test
    void theFirstAttemptSaysHowNearItIs() {
        fixture.openBound("home", "eu", "us");
        assertThat(decisions("home")).containsExactly("1 eu/node/m: a replica of the edge's own region, eu");
        assertThat(fixture.routes.find("home"))
                .contains(new Routing(
                        "home",
                        "m",
                        Residency.in(List.of("eu", "us")),
                        List.of(new Decision(5000, 1, "eu/node/m", "a replica of the edge's own region, eu"))));

        fixture.regions.put(fixture.replica.getRef(), "us");
        fixture.open("abroad", 1, 0);
        assertThat(decisions("abroad"))
                .containsExactly(
                        "1 us/node/m: no replica in the edge's region, eu, that may serve it: us is the nearest");
    }

    @Test
    void aLaterAttemptSaysHowTheOneBeforeEnded() {
        fixture.open("r", 1, 0);
        Submit first = fixture.replica.expectMessageClass(Submit.class);
        fixture.regions.put(other.getRef(), "us");
        fixture.directory.put("m", other.getRef());
        first.edge().tell(new StreamEvent.Refused(first.attempt(), new Refusal.QueueFull(4)));

        assertThat(decisions("r"))
                .containsExactly(
                        "1 eu/node/m: a replica of the edge's own region, eu",
                        "2 us/node/m: the replica before refused it: QueueFull");
    }

    @Test
    void whoTakesAnAttemptIsItsReplicaThoughAnotherWasChosen() {
        fixture.open("r", 1, 0);
        Submit first = fixture.replica.expectMessageClass(Submit.class);
        fixture.regions.put(other.getRef(), "us");
        MuxFixture.accept(first, other);

        assertThat(decisions("r")).containsExactly("1 us/node/m: a replica of the edge's own region, eu");
    }

    @Test
    void aColdStartSaysHowLongItTook() {
        fixture.directory.clear();
        fixture.coming = new Replicas.Coming(-1);
        fixture.open("r", 1, 0);
        assertThat(decisions("r")).containsExactly("0 : nothing that may serve it is loaded");

        fixture.pass(MuxFixture.TICK.multipliedBy(2));
        fixture.directory.put("m", fixture.replica.getRef());
        fixture.pass(MuxFixture.TICK);
        assertThat(decisions("r"))
                .containsExactly(
                        "0 : nothing that may serve it is loaded",
                        "1 eu/node/m: waited " + 3 * MuxFixture.TICK.toMillis()
                                + " ms for a load; a replica of the edge's own region, eu");
    }

    @Test
    void healthChecksAreNotWrittenDown() {
        fixture.openProbe("probe");
        fixture.settle();

        assertThat(fixture.routes.find("probe")).isEmpty();
    }

    @Test
    void theOldestRequestIsForgotten() {
        fixture.directory.clear();
        for (int i = 0; i <= RoutingJournal.MAX_REQUESTS; i++) {
            fixture.open("r" + i, 1, 0);
        }
        fixture.settle();

        assertThat(fixture.routes.find("r0")).isEmpty();
        assertThat(fixture.routes.find("r" + RoutingJournal.MAX_REQUESTS)).isPresent();
    }

    @Test
    void ofManyAttemptsTheFirstAndTheNewestAreKept() {
        for (int i = 0; i < RoutingJournal.MAX_DECISIONS + 5; i++) {
            fixture.settle(); // Its request waits each time, under the same name.
        }

        assertThat(fixture.routes.find("fence").orElseThrow().decisions()).hasSize(RoutingJournal.MAX_DECISIONS);
    }
}
