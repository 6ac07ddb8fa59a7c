package dev.meridian.edge.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests for models of which nothing is loaded. */
final class WaitersTest {
    private final MuxFixture fixture = new MuxFixture();

    @AfterEach
    void shutdown() {
        fixture.close();
    }

    private EdgeMux.Loading waits(String id, long estimateMillis) {
        fixture.directory.clear();
        fixture.coming = new Replicas.Coming(estimateMillis);
        fixture.open(id, 1, 0);
        return fixture.opening.expectMessageClass(EdgeMux.Loading.class);
    }

    private CompletableFuture<EdgeMux.Opening> later(EdgeMux.Loading loading) {
        return loading.later().toCompletableFuture();
    }

    private ModelDemand demand() {
        return fixture.demand.demand().stream()
                .filter(model -> model.model().equals("m"))
                .findFirst()
                .orElse(ModelDemand.none("m"));
    }

    @Test
    void aRequestWaitsUntilItsModelIsLoadedAndIsServed() {
        EdgeMux.Loading loading = waits("r", 1_200);

        assertThat(loading.model()).isEqualTo("m");
        assertThat(loading.estimateMillis()).isEqualTo(1_200);
        assertThat(demand().waiting()).isEqualTo(1);
        fixture.directory.put("m", fixture.replica.getRef());
        fixture.pass(MuxFixture.TICK);
        Submit submit = fixture.replica.expectMessageClass(Submit.class);
        MuxFixture.accept(submit, fixture.replica);
        assertThat(later(loading)).succeedsWithin(Duration.ofSeconds(3)).isInstanceOf(EdgeMux.Opened.class);
        assertThat(demand().waiting()).isZero();
        assertThat(demand().idleMillis()).isZero();
    }

    @Test
    void itsDeadlineEndsIt() {
        EdgeMux.Loading loading = waits("r", -1);

        fixture.pass(MuxFixture.DEADLINE);
        assertThat(later(loading))
                .succeedsWithin(Duration.ofSeconds(3))
                .isEqualTo(new EdgeMux.Rejected(new StreamFailure.ByReplica(new Refusal.DeadlineExceeded())));
        assertThat(demand().waiting()).isZero();
    }

    @Test
    void aLoadThatTakesLongerThanTheDeadlineIsNotWaitedFor() {
        fixture.directory.clear();
        long tooLong = MuxFixture.DEADLINE.toMillis() + 1;
        fixture.coming = new Replicas.Coming(tooLong);
        fixture.open("r", 1, 0);

        fixture.opening.expectMessage(new EdgeMux.Rejected(new StreamFailure.ModelLoading("m", tooLong)));
        assertThat(demand().waiting()).isZero();
    }

    @Test
    void whereNobodyCanLoadItAnyMoreItEnds() {
        EdgeMux.Loading loading = waits("r", -1);

        fixture.coming = null;
        fixture.pass(MuxFixture.TICK);
        assertThat(later(loading)).isNotDone();
        fixture.pass(MuxFixture.REPLICA_WAIT.plus(MuxFixture.TICK));
        assertThat(later(loading))
                .succeedsWithin(Duration.ofSeconds(3))
                .isEqualTo(new EdgeMux.Rejected(new StreamFailure.ByReplica(new Refusal.ModelNotReady("m"))));
    }

    @Test
    void aClientThatLeavesWaitsNoLonger() {
        EdgeMux.Loading loading = waits("r", -1);

        fixture.mux.tell(new EdgeMux.ClientGone("r"));
        assertThat(later(loading))
                .succeedsWithin(Duration.ofSeconds(3))
                .isEqualTo(new EdgeMux.Rejected(new StreamFailure.ClientLeft()));
        assertThat(demand().waiting()).isZero();
    }

    @Test
    void aRequestThatMetAReplicaOnItsWayOutWaitsForTheNextLoad() {
        fixture.coming = new Replicas.Coming(-1);
        fixture.open("r", 1, 0);
        Submit first = fixture.replica.expectMessageClass(Submit.class);
        fixture.directory.clear();
        first.edge().tell(new StreamEvent.Refused(first.attempt(), new Refusal.ModelNotReady("m")));
        EdgeMux.Loading loading = fixture.opening.expectMessageClass(EdgeMux.Loading.class);

        fixture.directory.put("m", fixture.replica.getRef());
        fixture.pass(MuxFixture.TICK);
        fixture.replica.expectMessage(new ReplicaCommand.Cancel(first.attempt()));
        Submit again = fixture.replica.expectMessageClass(Submit.class);
        assertThat(again.attempt()).isEqualTo(first.attempt().next());
        MuxFixture.accept(again, fixture.replica);
        assertThat(later(loading)).succeedsWithin(Duration.ofSeconds(3)).isInstanceOf(EdgeMux.Opened.class);
    }

    @Test
    void demandDecaysWithItsHalfLife() {
        waits("r", -1);
        double before = demand().requestsPerSecond();

        fixture.pass(Duration.ofSeconds(30));
        assertThat(demand().requestsPerSecond()).isCloseTo(before * Math.pow(0.5, 0.05), offset(1e-9));
        assertThat(demand().streams()).isCloseTo(1 - Math.sqrt(0.5), offset(1e-6));
        assertThat(demand().waitingMillis()).isEqualTo(30_000);
    }
}
