package dev.meridian.placement.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.placement.policy.ModelRules;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Small scenarios whose figures are computed by hand. */
class SimulationTest {
    static final List<String> POLICIES = Scenarios.POLICIES;

    private static Scenarios oneNode() {
        return new Scenarios().region("eu", 1, 100).model("m", 50, 1, 1);
    }

    @Test
    void aColdRequestWaitsForTheLoadAndThenForItsServiceAndTheWay() {
        Outcome outcome = oneNode().asked("eu", "m", 0).run("follow-demand");

        // 500 ms and 50 bytes at 10 a second; 200 ms and 100 tokens of 1 ms; 3 ms there and back.
        assertThat(outcome.regions().getFirst().firstTokenP50Micros()).isEqualTo(5_500_000 + 300_000 + 3_000);
        assertThat(outcome.requests()).isEqualTo(1);
        assertThat(outcome.served()).isEqualTo(1);
        assertThat(outcome.coldHits()).isEqualTo(1);
        assertThat(outcome.loads()).isEqualTo(1);
        assertThat(outcome.loadedBytes()).isEqualTo(50);
        assertThat(outcome.unloads()).isZero();
        assertThat(outcome.heldByteHours()).isEqualTo(50 * 300 / 3600.0);
    }

    @Test
    void aWarmRequestOfAnotherRegionPaysForTheWay() {
        Scenarios scenarios = new Scenarios()
                .region("us", 1, 10)
                .region("eu", 1, 100)
                .rtt("eu", "us", 80)
                .model("m", 50, 1, 1)
                .asked("us", "m", 20);

        // Spread has loaded it in eu at 5.5 s; us has no room for it.
        assertThat(scenarios.run("spread").regions().getFirst().firstTokenP99Micros())
                .isEqualTo(380_000);
        assertThat(scenarios.run("spread").coldHits()).isZero();
    }

    @Test
    void aSecondRequestQueuesForTheOnlySlot() {
        Outcome outcome = oneNode().asked("eu", "m", 10, 10.1).run("spread");

        // The first has the slot until 10.0015 + 0.3 + 1 s, for 11 tokens of which one comes with the prefill.
        assertThat(outcome.regions().getFirst().firstTokenP50Micros()).isEqualTo(303_000);
        assertThat(outcome.regions().getFirst().firstTokenP99Micros())
                .isEqualTo(11_301_500 + 300_000 + 1_500 - 10_100_000);
        assertThat(outcome.coldHits()).isZero();
    }

    @Test
    void aRequestThatNobodyCanServeFailsAfterItsTimeout() {
        Outcome outcome = new Scenarios()
                .region("eu", 1, 10)
                .model("m", 50, 1, 1)
                .asked("eu", "m", 1, 2)
                .run("follow-demand");

        assertThat(outcome.failed()).isEqualTo(2);
        assertThat(outcome.served()).isZero();
        assertThat(outcome.coldHits()).isEqualTo(2);
        assertThat(outcome.regions().getFirst().firstTokenP50Micros()).isEqualTo(Outcome.NONE);
    }

    @Test
    void aStreamWhoseNodeFailsGoesOnWhereItsModelIsLoadedNext() {
        Scenarios scenarios = new Scenarios().region("eu", 2, 100).model("m", 50, 1, 1);
        scenarios.asked("eu", "m", 10).outage("eu-1", 10.8, 100);
        scenarios.duration = Duration.ofSeconds(15);
        Simulation simulation = new Simulation(scenarios.build(), "spread", 1);
        while (!simulation.isOver()) {
            simulation.step();
        }

        assertThat(simulation.outcome().coldHits()).isZero();
        assertThat(simulation.outcome().served()).isEqualTo(1);
        assertThat(simulation.outcome().loads()).isEqualTo(2);
        // Known as away at the plan of 14 s, after 3 s without it; loaded at 19.5 s; 100 + 5 tokens of prefill; 5 more
        // tokens to decode.
        assertThat(simulation.world().now()).isEqualTo(19_500_000 + 1_500 + 305_000 + 500_000);
    }

    @Test
    void aNodeThatComesBackSoonLoadsWhatItHadWithoutAPlan() {
        Outcome outcome =
                oneNode().asked("eu", "m", 10, 60).outage("eu-1", 20, 2).run("spread");

        assertThat(outcome.loads()).isEqualTo(2);
        assertThat(outcome.unloads()).isZero();
        assertThat(outcome.coldHits()).isZero();
        assertThat(outcome.timeline().downs()).containsExactly(new Timeline.Down("eu", "eu-1", 20_000_000, 22_000_000));
        assertThat(outcome.heldByteHours()).isEqualTo(50 * 298 / 3600.0);
    }

    @Test
    void aReplicaThatIsTakenAwayServesItsStreamsFirst() {
        Scenarios scenarios =
                new Scenarios().region("eu", 1, 100).model("m", 60, 1, 1).model("n", 60, 1, 1);
        scenarios.duration = Duration.ofMinutes(1);
        // The stream of m runs from 40.3 to 41.3 s; n is asked for in between, and m is older than the residence by
        // then.
        scenarios.asked("eu", "m", 0, 40).asked("eu", "n", 40.5);
        Outcome outcome = scenarios.run("follow-demand");

        assertThat(outcome.unloads()).isEqualTo(1);
        assertThat(outcome.served()).isEqualTo(3);
        // m lingers until 42.3 s and is gone at the plan of 43 s; 6.5 s of load.
        assertThat(outcome.regions().getFirst().firstTokenP99Micros()).isEqualTo(49_500_000 + 303_000 - 40_500_000);
    }

    @ParameterizedTest
    @FieldSource("POLICIES")
    void equalSeedsGiveEqualResultsAndOtherSeedsOthers(String policy) {
        Scenarios scenarios = new Scenarios()
                .region("eu", 2, 150, Duration.ofMinutes(3))
                .region("us", 1, 100)
                .rtt("eu", "us", 80)
                .model("m", 50, 2, 3)
                .model("n", 60, 2, 1)
                .rate("eu", 0.5)
                .rate("us", 0.3);
        Scenario scenario = scenarios.build();

        assertThat(Simulation.run(scenario, policy, 7)).isEqualTo(Simulation.run(scenario, policy, 7));
        assertThat(Simulation.run(scenario, policy, 7).toString())
                .isEqualTo(Simulation.run(scenario, policy, 7).toString());
        assertThat(Simulation.run(scenario, policy, 8)).isNotEqualTo(Simulation.run(scenario, policy, 7));
    }

    @Test
    void allPoliciesMeetTheSameUsersAndFailures() {
        Scenarios scenarios = new Scenarios()
                .region("eu", 2, 150, Duration.ofMinutes(3))
                .model("m", 50, 2, 3)
                .rate("eu", 0.5);
        List<Outcome> outcomes = Scenarios.POLICIES.stream().map(scenarios::run).toList();

        assertThat(outcomes)
                .extracting(Outcome::requests)
                .containsOnly(outcomes.getFirst().requests());
        assertThat(outcomes)
                .extracting(outcome -> outcome.timeline().downs())
                .containsOnly(outcomes.getFirst().timeline().downs())
                .doesNotContain(List.of());
    }

    @Test
    void usersFarAwayAreServedSoonerByAPolicyThatGoesWhereTheyAre() {
        // Spread loads by name until the memory is full, so the hot one is never where its users are but for those of
        // eu.
        Scenarios scenarios = new Scenarios()
                .region("eu", 1, 200)
                .region("ap", 1, 50)
                .rtt("eu", "ap", 240)
                .model("a", 50, 8, 1)
                .model("hot", 50, 8, 10)
                .rate("ap", 1, "hot");
        scenarios.duration = Duration.ofMinutes(20);
        scenarios.rules = new ModelRules(0, 2, 4, false, Duration.ofMinutes(10), List.of());
        Outcome near = scenarios.run("follow-demand");
        Outcome far = scenarios.run("spread");

        assertThat(near.regions().get(1).firstTokenP50Micros())
                .isLessThan(far.regions().get(1).firstTokenP50Micros() - 200_000);
    }

    @Test
    void withoutDemandFollowDemandHoldsNothingAndSpreadAllThatFits() {
        Scenarios scenarios =
                new Scenarios().region("eu", 2, 100).model("m", 50, 1, 1).model("n", 50, 1, 1);

        assertThat(scenarios.run("follow-demand").heldByteHours()).isZero();
        assertThat(scenarios.run("spread").heldByteHours()).isEqualTo(100 * 300 / 3600.0);
    }

    @Test
    void everyRegionHoldsItsMinimumAsFarAsThereIsRoom() {
        Scenarios scenarios = new Scenarios()
                .region("eu", 1, 100)
                .region("us", 1, 50)
                .rtt("eu", "us", 80)
                .model("m", 50, 1, 1)
                .model("n", 50, 1, 1);
        scenarios.rules = new ModelRules(1, 2, 4, false, Duration.ofMinutes(10), List.of());

        assertThat(scenarios.run("follow-demand").heldByteHours()).isEqualTo(150 * 300 / 3600.0);
        assertThat(scenarios.run("follow-demand").loads()).isEqualTo(3);
    }

    @Test
    void anUnknownPolicyIsRefused() {
        assertThatThrownBy(() -> oneNode().run("hope"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("policy 'hope': expected one of");
    }
}
