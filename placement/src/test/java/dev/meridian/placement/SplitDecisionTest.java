package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.placement.SplitDecision.Sight;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Who stays when the nodes of a region do not reach each other. */
class SplitDecisionTest {
    private static SplitDecision alone(List<String> reachable, List<String> unreachable) {
        return SplitDecision.decide(new Sight(reachable, unreachable, false, 0, Set.of()));
    }

    private static SplitDecision witnessed(
            List<String> reachable, List<String> unreachable, int witnesses, Set<String> heard) {
        return SplitDecision.decide(new Sight(reachable, unreachable, true, witnesses, heard));
    }

    @Test
    void ofTwoTheOneThatLivesStaysWhicheverOfThemDied() {
        assertThat(witnessed(List.of("a"), List.of("b"), 2, Set.of("a", "us"))).isEqualTo(SplitDecision.DOWN_OTHERS);
        assertThat(witnessed(List.of("b"), List.of("a"), 2, Set.of("b", "us"))).isEqualTo(SplitDecision.DOWN_OTHERS);
    }

    @Test
    void whoHearsNoWitnessWaits() {
        assertThat(witnessed(List.of("a"), List.of("b"), 0, Set.of())).isEqualTo(SplitDecision.WAIT);
        assertThat(witnessed(List.of("a", "b"), List.of("c"), 0, Set.of())).isEqualTo(SplitDecision.WAIT);
    }

    @Test
    void ofTwoSidesThatAreBothAliveOneStays() {
        Set<String> all = Set.of("a", "b", "c", "us");
        assertThat(witnessed(List.of("a"), List.of("b"), 1, all)).isEqualTo(SplitDecision.DOWN_OTHERS);
        assertThat(witnessed(List.of("b"), List.of("a"), 1, all)).isEqualTo(SplitDecision.DOWN_SELF);
        assertThat(witnessed(List.of("b", "c"), List.of("a"), 1, all)).isEqualTo(SplitDecision.DOWN_OTHERS);
        assertThat(witnessed(List.of("a"), List.of("b", "c"), 1, all)).isEqualTo(SplitDecision.DOWN_SELF);
    }

    @Test
    void aRegionThatIsAloneGoesByNumberAndThenByTheFirstId() {
        assertThat(alone(List.of("b", "c"), List.of("a"))).isEqualTo(SplitDecision.DOWN_OTHERS);
        assertThat(alone(List.of("a"), List.of("b", "c"))).isEqualTo(SplitDecision.DOWN_SELF);
        assertThat(alone(List.of("a"), List.of("b"))).isEqualTo(SplitDecision.DOWN_OTHERS);
        assertThat(alone(List.of("b"), List.of("a"))).isEqualTo(SplitDecision.DOWN_SELF);
    }

    @Test
    void aSplitHasTwoSides() {
        assertThatThrownBy(() -> alone(List.of("a"), List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> alone(List.of(), List.of("a"))).isInstanceOf(IllegalArgumentException.class);
    }
}
