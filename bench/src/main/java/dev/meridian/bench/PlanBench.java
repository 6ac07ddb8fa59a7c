package dev.meridian.bench;

import dev.meridian.bench.load.Percentiles;
import dev.meridian.placement.policy.Demand;
import dev.meridian.placement.policy.ModelRules;
import dev.meridian.placement.policy.PlacementPlan;
import dev.meridian.placement.policy.PlacementPolicy;
import dev.meridian.placement.policy.Policies;
import dev.meridian.placement.policy.PolicySettings;
import dev.meridian.placement.policy.PolicyView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Times plans. */
final class PlanBench {
    private static final List<String> POLICIES = List.of("follow-demand", "spread", "least-recently-used");
    private static final double NANOS_PER_MILLI = 1e6;

    private PlanBench() {}

    static PlanReport run(PlanPicture picture, int rounds) {
        PolicyView view = picture.view();
        Demand demand = picture.demand();
        List<PlanReport.Row> rows = new ArrayList<>();
        for (String name : POLICIES) {
            PlacementPolicy policy = Policies.of(settings(name));
            long began = System.nanoTime();
            PlacementPlan plan = policy.plan(view, demand);
            double first = (System.nanoTime() - began) / NANOS_PER_MILLI;
            double[] millis = new double[rounds];
            for (int i = -rounds; i < rounds; i++) {
                long start = System.nanoTime();
                PlacementPlan again = policy.plan(view, demand);
                double took = (System.nanoTime() - start) / NANOS_PER_MILLI;
                if (!again.equals(plan)) {
                    throw new MeasurementFailed(name + " planned otherwise the next time");
                }
                if (i >= 0) {
                    millis[i] = took;
                }
            }
            rows.add(new PlanReport.Row(
                    name,
                    first,
                    Percentiles.median(millis),
                    plan.targets().size(),
                    plan.changes().size(),
                    Integer.toHexString(plan.hashCode())));
        }
        long heap = Runtime.getRuntime().maxMemory();
        return new PlanReport(picture.nodes(), picture.models(), picture.regions(), rounds, heap, rows);
    }

    private static PolicySettings settings(String policy) {
        ModelRules rules = new ModelRules(0, 4, 8, false, Duration.ofMinutes(10), List.of());
        return new PolicySettings(policy, Duration.ofSeconds(30), 1, Duration.ofSeconds(5), rules, Map.of());
    }
}
