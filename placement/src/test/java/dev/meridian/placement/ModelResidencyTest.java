package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.Residency;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Nodes that say different things of where a model may be. */
final class ModelResidencyTest {
    private static final PlacementSettings SETTINGS = PlacementSettings.from(ConfigFactory.load());
    private static final Residency EU = Residency.in(List.of("eu"));

    private final ActorTestKit kit = ActorTestKit.create();
    private final ActorRef<NodeMessage> directory =
            kit.<NodeMessage>createTestProbe().getRef();

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private NodeView node(String id, String region, Residency residency) {
        ModelInfo bundle = new ModelInfo("m", Facts.DIGEST, 100, 100, 0, "int4", 10, residency);
        return new NodeView(
                new NodeStatus(
                        id,
                        region,
                        List.of("edge", "model"),
                        1,
                        1,
                        false,
                        false,
                        100,
                        0,
                        List.of(bundle),
                        List.of(Statuses.replica(region, "m", ReplicaState.LOADING, 0, null)),
                        List.of(),
                        List.of(),
                        0,
                        directory),
                0,
                100);
    }

    private static List<ReplicaId> placed(ClusterView view, String region) {
        List<NodeFacts> facts = NodeFacts.of(view, region, SETTINGS, 0);
        return PlacementPlanner.plan(PinTable.empty(region), facts, Wanted.usual(1), 0).pins().stream()
                .map(pin -> pin.replica())
                .toList();
    }

    @Test
    void oneThatForbidsForbidsForAll() {
        ClusterView view = new ClusterView(List.of(node("eu-1", "eu", EU), node("us-1", "us", Residency.ANYWHERE)));
        assertThat(view.residency("m")).isEqualTo(EU);
        assertThat(view.model("m")).map(ModelInfo::residency).hasValue(EU);
        assertThat(view.models()).extracting(ModelInfo::residency).containsExactly(EU);
        assertThat(placed(view, "eu")).hasSize(1);
        assertThat(placed(view, "us"))
                .as("it is not loaded where it may not be")
                .isEmpty();
    }

    @Test
    void whereTheyAgreeOnNoRegionThereIsNone() {
        ClusterView view =
                new ClusterView(List.of(node("eu-1", "eu", EU), node("us-1", "us", Residency.in(List.of("us", "ap")))));
        assertThat(view.residency("m")).hasToString("nowhere");
        assertThat(placed(view, "eu")).isEmpty();
        assertThat(placed(view, "us")).isEmpty();
    }

    @Test
    void ofAModelThatNobodySpeaksOfNothingIsForbidden() {
        assertThat(ClusterView.empty().residency("m")).isEqualTo(Residency.ANYWHERE);
    }
}
