package dev.meridian.placement.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ArrivalTest {
    private static final Scenario SCENARIO = new Scenarios()
            .region("eu", 1, 100)
            .region("us", 1, 100)
            .rtt("eu", "us", 80)
            .model("m", 50, 4, 3)
            .model("n", 50, 4, 1)
            .rate("eu", 2, "m", "n")
            .rate("us", 0.5, "n")
            .build();

    @Test
    void areThoseThatASimulationTakes() {
        Outcome outcome = Simulation.run(SCENARIO, "spread", 7);

        List<Arrival> arrivals = Arrival.of(SCENARIO, 7);

        assertThat(arrivals).isSortedAccordingTo(Comparator.comparingLong(Arrival::atMicros));
        Map<String, Long> counts =
                arrivals.stream().collect(Collectors.groupingBy(Arrival::region, Collectors.counting()));
        assertThat(outcome.regions())
                .allSatisfy(region -> assertThat(counts).containsEntry(region.region(), region.requests()));
        assertThat(arrivals)
                .filteredOn(one -> one.region().equals("us"))
                .allMatch(one -> one.model().equals("n"));
        assertThat(arrivals).extracting(Arrival::model).contains("m", "n");
    }

    /** To the microsecond: one request at its time is the simulation's only one. */
    @Test
    void comeWhenTheSimulationTakesThem() {
        Scenario scenario = new Scenarios()
                .region("eu", 1, 100)
                .model("m", 50, 1, 1)
                .asked("eu", "m", 10.5)
                .build();

        assertThat(Arrival.of(scenario, 1)).containsExactly(new Arrival(10_500_000, "eu", "m", 100, 11));
    }

    @Test
    void areOthersWithAnotherSeed() {
        assertThat(Arrival.of(SCENARIO, 7)).isEqualTo(Arrival.of(SCENARIO, 7)).isNotEqualTo(Arrival.of(SCENARIO, 8));
    }
}
