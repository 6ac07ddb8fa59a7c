package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.placement.policy.PolicyView;
import dev.meridian.placement.policy.PolicyView.Held;
import dev.meridian.placement.policy.PolicyView.Host;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PolicyViewsTest {
    private static final PlacementSettings SETTINGS = Facts.settings(1);
    private static final long NOW = Duration.ofMinutes(1).toNanos();
    private static final ModelDemand DEMAND = new ModelDemand("m", 2, 30, 1.5, 1, 400, 0);

    private final ActorTestKit kit = ActorTestKit.create();
    private final ActorRef<NodeMessage> directory =
            kit.<NodeMessage>createTestProbe().getRef();

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private NodeView node(String id, String region, long neededBytes, List<ReplicaStatus> replicas, Duration silent) {
        ModelInfo bundle = new ModelInfo("m", Facts.DIGEST, 100, 100, 0, "int4", neededBytes, Residency.ANYWHERE);
        NodeStatus status = new NodeStatus(
                id,
                region,
                List.of("edge", "model"),
                1,
                1,
                false,
                false,
                1000,
                0,
                List.of(bundle),
                replicas,
                List.of(),
                List.of(DEMAND),
                0,
                directory);
        return new NodeView(status, NOW - silent.toNanos(), region.equals("eu") ? 100 : 80_000);
    }

    private final ReplicaId replica = new ReplicaId("eu", "m", Facts.DIGEST, 1);
    private final ReplicaId loading = new ReplicaId("eu", "m", Facts.DIGEST, 2);
    private final PinTable eu = PinTable.empty("eu")
            .withPins(List.of(new Pin(replica, "eu-1", 1, null), new Pin(loading, "eu-2", 1, null)))
            .withDraining(List.of("eu-2"));
    private final PinTable us = PinTable.empty("us").withPlacement("m", new ModelPlacement("m", 0, List.of()));

    private ClusterView cluster() {
        return new ClusterView(List.of(
                node(
                        "eu-1",
                        "eu",
                        300,
                        List.of(Statuses.replica("eu", "m", ReplicaState.READY, 5, null)),
                        Duration.ZERO),
                node("eu-2", "eu", 200, List.of(), Duration.ZERO),
                node("us-1", "us", 300, List.of(), SETTINGS.silence().plusMillis(1)),
                node("us-2", "us", 300, List.of(), SETTINGS.rehomeAfter().plusMillis(1))));
    }

    @Test
    void whatANodeKnowsIsWhatAPolicySees() {
        PolicyView view = PolicyViews.of(
                cluster(),
                "eu",
                region -> region.equals("eu") ? eu : us,
                pin -> pin.replica().number() * 1000L,
                SETTINGS,
                NOW,
                77);

        assertThat(view.nowMillis()).isEqualTo(77);
        assertThat(view.models()).containsOnlyKeys("m");
        assertThat(view.regions())
                .containsExactly(
                        new Region(
                                "eu",
                                Map.of("us", 80_000L),
                                List.of(
                                        new Host("eu-1", true, 1000, Set.of("m"), Map.of("m", 300L)),
                                        new Host("eu-2", false, 1000, Set.of("m"), Map.of("m", 200L))),
                                List.of(new Held("m", "eu-1", true, 1000, 5), new Held("m", "eu-2", false, 2000, 0)),
                                Map.of()),
                        new Region(
                                "us",
                                Map.of("eu", 80_000L),
                                List.of(
                                        new Host("us-1", false, 1000, Set.of("m"), Map.of("m", 300L)),
                                        new Host("us-2", false, 1000, Set.of("m"), Map.of("m", 300L))),
                                List.of(),
                                Map.of("m", new ModelPlacement("m", 0, List.of()))));
    }

    @Test
    void demandIsThatOfAllEdgesOfARegionThatAreHeard() {
        ModelDemand twice = PolicyViews.demand(cluster(), SETTINGS, NOW).of("eu", "m");

        assertThat(twice).isEqualTo(new ModelDemand("m", 4, 60, 3, 2, 400, 0));
        assertThat(PolicyViews.demand(cluster(), SETTINGS, NOW).of("us", "m")).isEqualTo(DEMAND);
        assertThat(PolicyViews.demand(cluster(), SETTINGS, NOW).of("us", "n")).isEqualTo(ModelDemand.none("n"));
    }
}
