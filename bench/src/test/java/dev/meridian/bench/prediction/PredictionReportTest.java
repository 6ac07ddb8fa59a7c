package dev.meridian.bench.prediction;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.bench.prediction.PredictionReport.Figures;
import dev.meridian.placement.simulation.Arrival;
import dev.meridian.placement.simulation.Outcome;
import dev.meridian.placement.simulation.Scenario;
import dev.meridian.placement.simulation.Simulation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class PredictionReportTest {
    private static final PredictionPlan PLAN = new PredictionPlan(Duration.ofMinutes(10), 3);

    @Test
    void ratiosAreOfThePredictionToTheTruth() {
        PredictionReport report = PredictionReport.of(
                PLAN,
                90,
                2000,
                List.of(new Figures("eu", 10, 6, 80, 1), new Figures("us", 5, 3, 90, 1)),
                List.of(new Figures("eu", 10, 8, 100, 1), new Figures("us", 5, 4, 75, 1)));

        assertThat(report.ratios().coldHits()).isEqualTo(0.75);
        assertThat(report.ratios().firstTokenP50()).containsEntry("eu", 0.8).containsEntry("us", 1.2);
        StringWriter text = new StringWriter();
        report.print(new PrintWriter(text, true));
        assertThat(text.toString())
                .contains("seed 3")
                .contains("simulated / real: cold hits 0.75, p50 of eu 0.80, p50 of us 1.20");
    }

    /** The scenario has cold hits to predict, and a lone cold request costs in it what it was measured to cost. */
    @Test
    void theScenarioIsColdNowAndThen() {
        Scenario scenario = PLAN.scenario(Duration.ofMillis(100), Duration.ofMillis(2000));

        Outcome outcome = Simulation.run(scenario, scenario.policies().policy(), PLAN.seed());

        assertThat(outcome.failed()).isZero();
        assertThat((double) outcome.coldHits() / outcome.requests()).isBetween(0.02, 0.3);
        assertThat(outcome.regions().getFirst().firstTokenP50Micros()).isEqualTo(100_000);
        assertThat((double) outcome.regions().getFirst().firstTokenP99Micros()).isBetween(2e6, 4e6);
        assertThat(Arrival.of(scenario, PLAN.seed())).hasSize((int) outcome.requests());
    }
}
