package dev.meridian.placement;

import static dev.meridian.protocol.cluster.ReplicaState.READY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LoadCostTest {
    private static final ReplicaId FIRST = Facts.replica("m", 1);
    private static final ReplicaId OTHER = Facts.replica("n", 1);
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    private final NodeFacts fast =
            Facts.of("fast").offers("m", "n").loads(Facts.WEIGHT).build();
    private final NodeFacts slow =
            Facts.of("slow").offers("m", "n").loads(Facts.WEIGHT / 5).build();
    private final LoadCost cost = new LoadCost();

    @Test
    void loadsOfOneNodeComeOneAfterTheOther() {
        assertThat(cost.load(fast, FIRST)).isEqualTo(Facts.WEIGHT);
        cost.load(fast, OTHER);

        assertThat(cost.bytes()).isEqualTo(2 * Facts.WEIGHT);
        assertThat(cost.estimateMillis()).isEqualTo(2000);
        assertThat(cost.step(DEADLINE)).contains("takes about 2.0 s");
    }

    @Test
    void severalNodesLoadAtOnce() {
        cost.load(fast, FIRST);
        cost.load(fast, OTHER);
        cost.load(slow, FIRST);

        assertThat(cost.estimateMillis()).isEqualTo(5000);
    }

    @Test
    void nobodyKnowsThePaceOfANodeThatHasLoadedNothing() {
        cost.load(fast, FIRST);
        cost.load(Facts.of("new").offers("n").build(), OTHER);

        assertThat(cost.estimateMillis()).isEqualTo(Effect.UNKNOWN);
        assertThat(cost.step(DEADLINE)).isEmpty();
    }

    @Test
    void streamsThatRunMayTakeTheirTime() {
        ModelInfo model = Facts.model("m");
        NodeFacts busy = new NodeFacts(
                "busy",
                true,
                false,
                false,
                100,
                10,
                0,
                List.of(model),
                List.of(new ReplicaStatus(FIRST, 1, READY, model, 0, 1, 0, null)));
        cost.load(fast, FIRST);
        cost.unload(busy, FIRST);

        assertThat(cost.step(DEADLINE)).contains("takes about 1.0 s, and up to 30 s more for streams that run");
    }

    @Test
    void whatLoadsNothingTakesNoTime() {
        assertThat(cost.estimateMillis()).isZero();
        assertThat(cost.step(DEADLINE)).isEmpty();
    }

    @Test
    void timesAreShort() {
        assertThat(PlanText.about(250)).isEqualTo("250 ms");
        assertThat(PlanText.about(59_900)).isEqualTo("59.9 s");
        assertThat(PlanText.about(210_000)).isEqualTo("3.5 min");
    }
}
