package dev.meridian.placement.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FollowDemandTest {
    private static int replicas(Pictures pictures, ModelRules rules, String region, String model) {
        return plan(pictures, rules).target(region, model).map(Target::replicas).orElse(0);
    }

    private static PlacementPlan plan(Pictures pictures, ModelRules rules) {
        return Policies.of(Pictures.settings("follow-demand", rules)).plan(pictures.view(), pictures.demand());
    }

    private static Pictures twoRegions() {
        return new Pictures()
                .model("m", 100)
                .host("a", "a-1", 1000)
                .host("a", "a-2", 1000)
                .host("c", "c-1", 1000)
                .host("c", "c-2", 1000);
    }

    @Test
    void aModelThatIsHotInARegionGetsAReplicaThere() {
        Pictures pictures = twoRegions().held("a", "a-1", "m", Pictures.OLD, 0).asked("c", "m", 5, 1);

        assertThat(replicas(pictures, Pictures.rules(0, 4), "c", "m")).isEqualTo(1);
    }

    @Test
    void fewUsersAreServedByTheNearestRegionThatHasIt() {
        Pictures pictures = twoRegions()
                .host("b", "b-1", 1000)
                .held("a", "a-1", "m", Pictures.OLD, 0)
                .held("c", "c-1", "m", Pictures.OLD, 0)
                .asked("c", "m", 5, 1)
                .asked("b", "m", 0.3, 0.1);

        assertThat(replicas(pictures, Pictures.rules(0, 4), "b", "m")).isZero();
        assertThat(replicas(pictures, Pictures.rules(0, 4), "a", "m")).isZero();
        assertThat(replicas(pictures, Pictures.rules(0, 4), "c", "m")).isEqualTo(1);
    }

    @Test
    void theLastUsersOfAllKeepTheLastReplica() {
        Pictures pictures = twoRegions().held("a", "a-1", "m", Pictures.OLD, 0).asked("c", "m", 0.2, 0);

        assertThat(replicas(pictures, Pictures.rules(0, 4), "a", "m")).isEqualTo(1);
        assertThat(replicas(pictures, Pictures.rules(0, 4), "c", "m")).isZero();
    }

    @Test
    void whatNobodyHasAskedForGoesDownToTheMinimum() {
        Pictures idle = twoRegions()
                .held("a", "a-1", "m", Pictures.OLD, 0)
                .held("a", "a-2", "m", Pictures.OLD, 0)
                .idle("a", "m", Duration.ofMinutes(11));

        assertThat(replicas(idle, Pictures.rules(0, 4), "a", "m")).isZero();
        assertThat(replicas(idle, Pictures.rules(1, 4), "a", "m")).isEqualTo(1);
    }

    @Test
    void theLastReplicaStaysUnderALiveStream() {
        Pictures pictures = twoRegions().held("a", "a-1", "m", Pictures.OLD, 1).idle("a", "m", Duration.ofMinutes(11));

        assertThat(replicas(pictures, Pictures.rules(0, 4), "a", "m")).isEqualTo(1);
    }

    @Test
    void whatWasPlacedAMomentAgoStays() {
        Pictures pictures = twoRegions().held("a", "a-1", "m", 29_000, 0);
        Pictures older = twoRegions().held("a", "a-1", "m", 30_000, 0);

        assertThat(replicas(pictures, Pictures.rules(0, 4), "a", "m")).isEqualTo(1);
        assertThat(replicas(older, Pictures.rules(0, 4), "a", "m")).isZero();
    }

    @Test
    void streamsNeedReplicasAndHysteresisKeepsThem() {
        ModelRules rules = Pictures.rules(1, 2);

        assertThat(replicas(twoRegions().asked("a", "m", 60, 7.9), rules, "a", "m"))
                .isEqualTo(1);
        assertThat(replicas(twoRegions().asked("a", "m", 60, 8.1), rules, "a", "m"))
                .isEqualTo(2);
        assertThat(replicas(twoRegions().asked("a", "m", 60, 80), rules, "a", "m"))
                .isEqualTo(2);
        Pictures grown = twoRegions().held("a", "a-1", "m", Pictures.OLD, 3).held("a", "a-2", "m", Pictures.OLD, 3);
        assertThat(replicas(grown.asked("a", "m", 60, 6.1), rules, "a", "m")).isEqualTo(2);
        grown.counted.clear();
        assertThat(replicas(grown.asked("a", "m", 60, 5.9), rules, "a", "m")).isEqualTo(1);
    }

    @Test
    void aRequestThatWaitsTakesTheRoomOfWhatIsLessAskedFor() {
        Pictures pictures = new Pictures()
                .model("m", 100)
                .model("n", 100)
                .host("a", "a-1", 150)
                .held("a", "a-1", "m", Pictures.OLD, 0)
                .asked("a", "m", 600, 5)
                .waits("a", "n", 1, 100);

        assertThat(plan(pictures, Pictures.rules(0, 4)).changes().stream().map(Target::toString))
                .containsExactlyInAnyOrder(
                        "a m: 1 -> 0 (600.0 requests a minute, 5.0 streams; no room for more than 0 of 1)",
                        "a n: 0 -> 1 (a request waits for it)");
    }

    @Test
    void itWaitsForStreamsAsLongAsItHasPatience() {
        Pictures pictures = new Pictures()
                .model("m", 100)
                .model("n", 100)
                .host("a", "a-1", 150)
                .held("a", "a-1", "m", Pictures.OLD, 1)
                .waits("a", "n", 1, 4_999);

        assertThat(replicas(pictures, Pictures.rules(0, 4), "a", "m")).isEqualTo(1);
        pictures.counted.clear();
        pictures.waits("a", "n", 1, 5_000);
        assertThat(replicas(pictures, Pictures.rules(0, 4), "a", "m")).isZero();
        assertThat(replicas(pictures, Pictures.rules(0, 4), "a", "n")).isEqualTo(1);
    }

    @Test
    void nothingGoesWhereAnotherNodeHasRoom() {
        Pictures pictures = new Pictures()
                .model("m", 100)
                .model("n", 100)
                .host("a", "a-1", 150)
                .host("a", "a-2", 150)
                .held("a", "a-1", "m", Pictures.OLD, 0)
                .waits("a", "n", 1, 9_000);

        assertThat(replicas(pictures, Pictures.rules(1, 1), "a", "m")).isEqualTo(1);
        assertThat(replicas(pictures, Pictures.rules(1, 1), "a", "n")).isEqualTo(1);
    }

    @Test
    void whatIsKeptWarmStays() {
        Pictures pictures = new Pictures()
                .model("m", 100)
                .model("n", 100)
                .host("a", "a-1", 150)
                .held("a", "a-1", "m", Pictures.OLD, 0)
                .waits("a", "n", 1, 60_000);

        assertThat(replicas(pictures, Pictures.keptWarm(), "a", "m")).isEqualTo(1);
        assertThat(replicas(pictures, Pictures.keptWarm(), "a", "n")).isZero();
    }

    @Test
    void whereThereIsNoRoomTheNearestRegionThatHasSomeLoadsIt() {
        Pictures pictures = new Pictures()
                .model("m", 100)
                .model("n", 100)
                .host("a", "a-1", 150)
                .host("b", "b-1", 150)
                .host("c", "c-1", 150)
                .host("d", "d-1", 150)
                .held("a", "a-1", "m", Pictures.OLD, 3)
                .held("b", "b-1", "m", Pictures.OLD, 3)
                .asked("a", "m", 60, 3)
                .asked("b", "m", 60, 3)
                .waits("a", "n", 1, 100);

        PlacementPlan plan = plan(pictures, Pictures.rules(0, 4));
        assertThat(plan.changes()).extracting(Target::toString).containsExactly("c n: 0 -> 1 (a request waits for it)");
        assertThat(plan.target("a", "n")).map(Target::wished).hasValue(1);
    }

    @Test
    void preWarmedIsLoadedAtItsTimeAndGoesLater() {
        Pictures pictures = twoRegions();
        ModelRules rules = Pictures.preWarmed(LocalTime.of(12, 0));

        assertThat(replicas(pictures, rules, "a", "m")).isEqualTo(1);
        pictures.nowMillis += Duration.ofMinutes(10).toMillis() - 1;
        assertThat(replicas(pictures, rules, "a", "m")).isEqualTo(1);
        pictures.nowMillis += 1;
        assertThat(replicas(pictures, rules, "a", "m")).isZero();
        pictures.nowMillis = Duration.ofHours(12).toMillis() - 1;
        assertThat(replicas(pictures, rules, "a", "m")).isZero();
    }

    @Test
    void anOperatorsWordBeatsThePolicy() {
        Pictures none = twoRegions().placed("a", "m", 0).asked("a", "m", 100, 20);
        Pictures many = twoRegions().placed("a", "m", 2);

        assertThat(replicas(none, Pictures.rules(2, 4), "a", "m")).isZero();
        assertThat(replicas(none, Pictures.rules(0, 4), "c", "m")).isEqualTo(2);
        assertThat(replicas(many, Pictures.rules(0, 4), "a", "m")).isEqualTo(2);
    }

    @Test
    void aModelIsNeverPlannedWhereItMayNotBe() {
        Pictures pictures = new Pictures()
                .model("m", 100, Residency.in(List.of("c")))
                .host("a", "a-1", 1000)
                .host("c", "c-1", 1000)
                .waits("a", "m", 3, 1_000);

        assertThat(replicas(pictures, Pictures.rules(1, 4), "a", "m")).isZero();
        assertThat(replicas(pictures, Pictures.rules(0, 4), "c", "m")).isEqualTo(1);
    }

    @Test
    void aRequestForWhatItsRegionCannotLoadIsServedByTheNearestThatCan() {
        Pictures pictures = new Pictures()
                .model("m", 100)
                .host("a", "a-1", 50)
                .host("b", "b-1", 1000)
                .host("e", "e-1", 1000)
                .waits("a", "m", 1, 0);

        PlacementPlan plan = plan(pictures, Pictures.rules(0, 4));
        assertThat(plan.changes()).extracting(Target::region).containsExactly("b");
        assertThat(plan.target("a", "m")).isEqualTo(Optional.empty());
    }
}
