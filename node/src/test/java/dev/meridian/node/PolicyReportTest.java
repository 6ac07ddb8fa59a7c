package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.meridian.edge.admin.DemandRow;
import dev.meridian.edge.admin.PolicyRows;
import dev.meridian.placement.ClusterView;
import dev.meridian.placement.NodeView;
import dev.meridian.placement.PlacementSettings;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.cluster.Residency;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** One node that holds one model, which nobody has to hold. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class PolicyReportTest {
    private static final ReplicaId REPLICA = new ReplicaId("eu", "m", "0123456789ab", 1);
    private static final ModelInfo MODEL =
            new ModelInfo("m", "0123456789ab", 100, 100, 0, "int4", 10, Residency.ANYWHERE);
    private static final long NOW = 100_000_000;

    private final ActorTestKit kit = ActorTestKit.create(
            "reports", ConfigFactory.parseString("pekko.loglevel = OFF").withFallback(ConfigFactory.load()));
    private final PolicyReport report = new PolicyReport(PlacementSettings.from(
            ConfigFactory.parseString("meridian.placement { replicas = 0, min-residence = 30 s }")
                    .withFallback(ConfigFactory.load())
                    .resolve()));

    @AfterAll
    void shutdown() {
        kit.shutdownTestKit();
    }

    private ClusterView view(ModelDemand... demand) {
        NodeStatus status = new NodeStatus(
                "eu-1",
                "eu",
                List.of("edge", "model"),
                1,
                1,
                false,
                false,
                100,
                10,
                List.of(MODEL),
                List.of(new ReplicaStatus(REPLICA, 1, ReplicaState.READY, MODEL, 0, 0, 0, null)),
                List.of(),
                List.of(demand),
                0,
                kit.<NodeMessage>createTestProbe().getRef());
        return new ClusterView(List.of(new NodeView(status, 0, 0)));
    }

    private PolicyRows plan(ClusterView view, long placedAt) {
        PinTable table = PinTable.empty("eu")
                .withGeneration(1)
                .withPins(List.of(new Pin(REPLICA, "eu-1", 1, null)))
                .withEvents(List.of(new PlacementEvent(
                        1, 0, placedAt, PlacementEvent.Kind.PLACED, "me", "m", REPLICA, "eu-1", null, "chg-1: place")));
        return report.plan(view, "eu", _ -> table, 0, NOW);
    }

    @Test
    void demandIsWhatTheEdgesOfARegionCount() {
        ModelDemand asked = new ModelDemand("m", 0.5, 10, 2, 0, 0, 0);

        assertThat(report.demand(view(asked), 0)).containsExactly(new DemandRow("eu", asked));
    }

    @Test
    void thePlanIsThePolicys() {
        PolicyRows plan = plan(view(new ModelDemand("m", 0.5, 10, 2, 0, 0, 0)), 0);

        assertThat(plan)
                .isEqualTo(new PolicyRows(
                        "follow-demand",
                        List.of(new PolicyRows.Row("eu", "m", 1, 1, 1, "30.0 requests a minute, 2.0 streams"))));
    }

    @Test
    void whatWasPlacedAMomentAgoStaysAsTheEventsSay() {
        assertThat(plan(view(), 0).rows())
                .containsExactly(new PolicyRows.Row("eu", "m", 1, 0, 0, "nobody asks for it"));
        assertThat(plan(view(), NOW - 1000).rows().getFirst().replicas()).isEqualTo(1);
    }
}
