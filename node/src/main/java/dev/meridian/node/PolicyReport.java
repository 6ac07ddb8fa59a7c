package dev.meridian.node;

import dev.meridian.edge.admin.DemandRow;
import dev.meridian.edge.admin.PolicyRows;
import dev.meridian.placement.ClusterView;
import dev.meridian.placement.PlacementSettings;
import dev.meridian.placement.PolicyViews;
import dev.meridian.placement.policy.Demand;
import dev.meridian.placement.policy.PlacementPlan;
import dev.meridian.placement.policy.Policies;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementEvent.Kind;
import java.util.List;
import java.util.function.Function;

/** What operators are told of demand and policy by the node that they ask: thought through there, with what it knows. */
final class PolicyReport {
    private final PlacementSettings settings;

    PolicyReport(PlacementSettings settings) {
        this.settings = settings;
    }

    List<DemandRow> demand(ClusterView view, long nowNanos) {
        Demand demand = PolicyViews.demand(view, settings, nowNanos);
        return demand.regions().stream()
                .flatMap(region -> demand.in(region).values().stream().map(model -> new DemandRow(region, model)))
                .toList();
    }

    /** Since the last event that put it there; old where that is forgotten. */
    private static long ageMillis(PinTable table, Pin pin, long nowMillis) {
        return table.events().stream()
                .filter(event -> pin.replica().equals(event.replica())
                        && pin.node().equals(event.node())
                        && (event.kind() == Kind.PLACED || event.kind() == Kind.MOVED))
                .reduce((_, last) -> last)
                .map(event -> Math.max(0, nowMillis - event.atEpochMillis()))
                .orElse(Long.MAX_VALUE);
    }

    /**
     * What the policy would do now.
     *
     * @param region of the node that is asked
     * @param tables the pins of a region as it knows them
     */
    PolicyRows plan(ClusterView view, String region, Function<String, PinTable> tables, long nowNanos, long nowMillis) {
        PlacementPlan plan = Policies.of(settings.policy())
                .plan(
                        PolicyViews.of(
                                view,
                                region,
                                tables,
                                pin -> ageMillis(tables.apply(pin.replica().region()), pin, nowMillis),
                                settings,
                                nowNanos,
                                nowMillis),
                        PolicyViews.demand(view, settings, nowNanos));
        return new PolicyRows(
                plan.policy(),
                plan.targets().stream()
                        .map(target -> new PolicyRows.Row(
                                target.region(),
                                target.model(),
                                target.held(),
                                target.replicas(),
                                target.wished(),
                                target.reason()))
                        .toList());
    }
}
