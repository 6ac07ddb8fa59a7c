package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A region that is full of what its policy wants, and an operator who wants something else. */
final class EvictionTest {
    private static final ReplicaId M = Facts.replica("m", 1);
    private static final ReplicaId N = Facts.replica("n", 1);
    private static final ModelPlacement ONE = new ModelPlacement("x", 1, List.of());

    private final PinTable table =
            PinTable.empty("eu").withPins(List.of(new Pin(M, "a", 1, null), new Pin(N, "a", 1, null)));

    private static NodeFacts node(int streamsOfM) {
        NodeFacts idle = Facts.of("a")
                .offers("m", "n", "x")
                .budget(2 * Facts.WEIGHT)
                .holds(N, ReplicaState.READY, 1)
                .build();
        ModelInfo model = Facts.model("m");
        ReplicaStatus busy = new ReplicaStatus(M, 1, ReplicaState.READY, model, 0, streamsOfM, 0, null);
        return new NodeFacts(
                "a",
                true,
                false,
                false,
                idle.budgetBytes(),
                2 * Facts.WEIGHT,
                0,
                idle.bundles(),
                List.of(busy, idle.replicas().getFirst()));
    }

    private static SpreadPlan plan(PinTable on, int streamsOfM, boolean byPolicy) {
        Situation now = new Situation(
                on,
                List.of(node(streamsOfM)),
                Set.of(),
                Set.of(),
                Facts.settings(1),
                new Wanted(0, Map.of("m", 1, "n", 1), byPolicy),
                0);
        return SpreadPlan.of(now, on, "x", Optional.of(ONE), List.of(), new LoadCost());
    }

    @Test
    void whatServesNobodyGoes() {
        SpreadPlan plan = plan(table, 3, true);

        assertThat(plan.no()).isEmpty();
        assertThat(plan.steps())
                .startsWith(
                        "evict " + N + " on a, which serves nobody now",
                        "load " + Facts.replica("x", 1) + " on a: 10 bytes");
    }

    @Test
    void whatAnOperatorHasPlacedOrServesSomebodyStays() {
        PinTable placed = table.withPlacement("n", new ModelPlacement("n", 1, List.of()));

        assertThat(plan(placed, 3, true).no())
                .map(TargetCheck.No::message)
                .hasValue("x needs 10 bytes, node a has 0 left of 20");
        assertThat(plan(placed, 0, true).steps()).startsWith("evict " + M + " on a, which serves nobody now");
    }

    @Test
    void withoutAPolicyNobodyWouldTakeItAway() {
        assertThat(plan(table, 0, false).no()).isPresent();
    }
}
