package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A view of nodes, and who is chosen from it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ReplicaChoiceTest {
    private static final long SILENCE = 1000;
    private static final long LOST = 3000;
    private static final long NOW = 10_000;
    private static final int DRAWS = 200;

    private final ActorTestKit kit = ActorTestKit.create(
            "choices", ConfigFactory.parseString("pekko.loglevel = OFF").withFallback(ConfigFactory.load()));
    private final ActorRef<NodeMessage> directory =
            kit.<NodeMessage>createTestProbe().getRef();
    private final Map<String, ActorRef<ReplicaCommand>> hosts = new HashMap<>();
    private final ReplicaChoice choice = new ReplicaChoice("eu", SILENCE, LOST);

    @AfterAll
    void shutdown() {
        kit.shutdownTestKit();
    }

    private ActorRef<ReplicaCommand> host(String node) {
        return hosts.computeIfAbsent(
                node, _ -> kit.<ReplicaCommand>createTestProbe().getRef());
    }

    private final AtomicLong nanos = new AtomicLong();
    private final FirstTokenTimes times = new FirstTokenTimes(nanos::get);

    private NodeView node(String id, String region, ReplicaState state, int load, long heard, long rtt) {
        return new NodeView(
                Statuses.status(
                        id,
                        region,
                        1,
                        1,
                        false,
                        List.of(Statuses.replica(region, "m", state, load, host(id))),
                        directory),
                heard,
                rtt);
    }

    private NodeView ready(String id, String region, int load) {
        return node(id, region, ReplicaState.READY, load, NOW, 100);
    }

    private NodeView leaving(String id) {
        return new NodeView(
                Statuses.status(
                        id,
                        "eu",
                        1,
                        1,
                        true,
                        List.of(Statuses.replica("eu", "m", ReplicaState.READY, 0, host(id))),
                        directory),
                NOW,
                100);
    }

    private Set<String> chosen(@Nullable String but, NodeView... nodes) {
        return chosen(Residency.ANYWHERE, but, nodes);
    }

    private Set<String> chosen(Residency residency, @Nullable String but, NodeView... nodes) {
        ClusterView view = new ClusterView(List.of(nodes));
        Random random = new Random(7);
        Set<String> ids = new TreeSet<>();
        for (int i = 0; i < DRAWS; i++) {
            ids.add(choice.choose(view, "m", residency, times, but == null ? null : host(but), NOW, random)
                    .map(candidate -> candidate.node().id())
                    .orElse("none"));
        }
        return ids;
    }

    @Test
    void ofTwoTheOneThatPromisesTheEarlierFirstTokenIsTaken() {
        NodeView slow = ready("a", "eu", 1);
        NodeView quick = ready("b", "eu", 3);
        assertThat(drawn(slow, quick)).isEqualTo("a");

        times.add(host("a"), 50_000_000);
        assertThat(drawn(slow, quick)).as("nothing is known of the other one").isEqualTo("a");
        times.add(host("b"), 20_000_000);
        assertThat(drawn(slow, quick)).as("2 x 50 ms against 4 x 20 ms").isEqualTo("b");
        times.add(host("a"), 10_000_000);
        assertThat(drawn(slow, quick)).as("2 x 42 ms against 4 x 20 ms").isEqualTo("b");
        times.add(host("b"), 60_000_000);
        assertThat(drawn(slow, quick)).as("2 x 42 ms against 4 x 28 ms").isEqualTo("a");
        times.add(host("b"), 1_000_000);
        nanos.addAndGet(Duration.ofSeconds(31).toNanos());
        assertThat(drawn(slow, quick)).as("old times say nothing").isEqualTo("a");
    }

    /** The node of the two that is taken when both are drawn. */
    private String drawn(NodeView one, NodeView other) {
        ClusterView view = new ClusterView(List.of(one, other));
        AtomicLong draw = new AtomicLong();
        return choice.choose(view, "m", Residency.ANYWHERE, times, null, NOW, () -> draw.getAndIncrement() << 32)
                .map(candidate -> candidate.node().id())
                .orElse("none");
    }

    @Test
    void theOwnRegionComesFirst() {
        assertThat(chosen(null, ready("a", "ap", 0), ready("b", "eu", 90), ready("c", "us", 0)))
                .containsExactly("b");
    }

    @Test
    void theNearestRegionComesNextWhateverItsName() {
        NodeView far = node("a", "ap", ReplicaState.READY, 0, NOW, 200_000);
        NodeView near = node("b", "us", ReplicaState.READY, 0, NOW, 80_000);
        NodeView alsoNear = node("c", "us", ReplicaState.READY, 0, NOW, 90_000);
        NodeView unmeasured = node("d", "af", ReplicaState.READY, 0, NOW, NodeView.NO_RTT);

        assertThat(chosen(null, far, near, alsoNear, unmeasured)).containsExactly("b", "c");
        assertThat(chosen(null, far, unmeasured)).containsExactly("a");
        assertThat(chosen(null, unmeasured)).containsExactly("d");
    }

    @Test
    void aReadyReplicaComesBeforeOneThatStandsBy() {
        NodeView standby = node("a", "eu", ReplicaState.STANDBY, 0, NOW, 100);

        assertThat(chosen(null, standby, ready("b", "eu", 50))).containsExactly("b");
        assertThat(chosen(null, standby)).containsExactly("a");
    }

    @Test
    void replicasThatLoadDrainOrFailedAreNotChosen() {
        for (ReplicaState state : List.of(ReplicaState.LOADING, ReplicaState.DRAINING, ReplicaState.FAILED)) {
            assertThat(chosen(null, node("a", "eu", state, 0, NOW, 100)))
                    .as("%s", state)
                    .containsExactly("none");
        }
    }

    @Test
    void nodesThatAreLostOrLeaveAreNotChosen() {
        NodeView lost = node("a", "eu", ReplicaState.READY, 0, NOW - LOST - 1, 100);
        NodeView justHeard = node("b", "eu", ReplicaState.READY, 0, NOW - SILENCE, 100);

        assertThat(chosen(null, lost, leaving("c"))).containsExactly("none");
        assertThat(chosen(null, lost, justHeard, leaving("c"))).containsExactly("b");
    }

    @Test
    void aNodeThatIsLateIsChosenWhereNoOtherIsHeard() {
        NodeView late = node("a", "eu", ReplicaState.READY, 0, NOW - LOST, 100);

        assertThat(chosen(null, late)).containsExactly("a");
        assertThat(chosen(null, late, ready("b", "us", 0))).containsExactly("b");
        assertThat(chosen("b", late, ready("b", "us", 0))).containsExactly("b");
        assertThat(chosen("a", late)).containsExactly("none");
    }

    @Test
    void theLastOneIsChosenAgainOnlyWhereThereIsNoOther() {
        assertThat(chosen("a", ready("a", "eu", 0), ready("b", "us", 90))).containsExactly("b");
        assertThat(chosen("a", ready("a", "eu", 0))).containsExactly("a");
        assertThat(chosen("a", leaving("a"))).containsExactly("none");
        assertThat(chosen("z", leaving("a"))).containsExactly("none");
    }

    @Test
    void ofTwoThatAreDrawnTheLessBusyOneIsChosen() {
        ClusterView view = new ClusterView(List.of(ready("a", "eu", 9), ready("b", "eu", 3), ready("c", "eu", 1)));
        Map<String, Integer> counts = new HashMap<>();
        Random random = new Random(7);
        for (int i = 0; i < 9000; i++) {
            counts.merge(
                    choice.choose(view, "m", Residency.ANYWHERE, times, null, NOW, random)
                            .orElseThrow()
                            .node()
                            .id(),
                    1,
                    Integer::sum);
        }

        // Two draws of three: a with (a, a) alone, c wherever it is drawn.
        assertThat(counts.getOrDefault("a", 0)).isBetween(850, 1150);
        assertThat(counts.getOrDefault("b", 0)).isBetween(2800, 3200);
        assertThat(counts.getOrDefault("c", 0)).isBetween(4800, 5200);
    }

    @Test
    void whereARequestMayNotGoNoReplicaIsChosenWhateverElseIsThere() {
        NodeView near = ready("a", "eu", 0);
        NodeView far = ready("b", "us", 0);
        assertThat(chosen(Residency.in(List.of("us")), null, near, far)).containsExactly("b");
        assertThat(chosen(Residency.in(List.of("us")), "b", near, far)).containsExactly("b");
        assertThat(chosen(Residency.in(List.of("us")), "b", near, leaving("b"))).containsExactly("none");
        assertThat(chosen(Residency.in(List.of()), null, near, far)).containsExactly("none");
    }

    @Test
    void anUnknownModelHasNoReplica() {
        assertThat(choice.choose(ClusterView.empty(), "m", Residency.ANYWHERE, times, null, NOW, new Random(7)))
                .isEmpty();
    }

    @Nested
    final class AView {
        private final NodeView one = node("b", "eu", ReplicaState.READY, 0, 0, 1);
        private final NodeView loading = node("a", "us", ReplicaState.LOADING, 0, 0, 1);
        private final ClusterView view = new ClusterView(List.of(one, loading));

        @Test
        void listsNodesById() {
            assertThat(view.nodes()).containsExactly(loading, one);
            assertThat(view.node("a")).contains(loading);
            assertThat(view.node("z")).isEmpty();
        }

        @Test
        void knowsModelsThatAreHeldOrLoaded() {
            ModelInfo model = Facts.model("m");

            assertThat(view.models()).containsExactly(model);
            assertThat(new ClusterView(List.of(loading)).model("m")).contains(model);
            assertThat(view.model("n")).isEmpty();
        }

        @Test
        void hasCandidatesWithHostsAlone() {
            NodeView hostless = new NodeView(
                    Statuses.status(
                            "c",
                            "eu",
                            1,
                            1,
                            false,
                            List.of(Statuses.replica("eu", "m", ReplicaState.READY, 0, null)),
                            directory),
                    0,
                    1);

            assertThat(new ClusterView(List.of(one, loading, hostless)).candidates("m"))
                    .containsExactly(new ClusterView.Candidate(
                            one, one.status().replicas().getFirst()));
            assertThat(view.candidates("n")).isEmpty();
        }
    }
}
