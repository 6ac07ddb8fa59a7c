package dev.meridian.placement;

import dev.meridian.placement.policy.Demand;
import dev.meridian.placement.policy.PlacementPlan;
import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.placement.policy.PlacementPolicy;
import dev.meridian.placement.policy.Policies;
import dev.meridian.placement.policy.PolicyView;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the policy when it is due, and remembers since when replicas are where they are, which no table says: a placement that
 * has just taken over takes all of them for new, so it is in no hurry. Used by a region's placement alone.
 */
final class PolicyTurn {
    private static final Logger LOG = LoggerFactory.getLogger(RegionPlacement.class);

    /** Requests that wait hurry the policy, but not more than this. */
    private static final Duration HURRY = Duration.ofMillis(200);

    private final RegionPlacement.Surroundings around;
    private final PlacementPolicy policy;
    private final Map<Place, Long> since = new HashMap<>();
    private Wanted wanted;
    private PlacementPlan plan = new PlacementPlan("", List.of());
    private List<Target> said = List.of();
    private long askedNanos;
    private List<ModelPlacement> askedPlacements = List.of();
    private boolean asked;

    private record Place(String replica, String node) {}

    PolicyTurn(RegionPlacement.Surroundings around) {
        this.around = around;
        policy = Policies.of(around.settings().policy());
        wanted = Wanted.usual(around.settings().replicas());
    }

    /** What the policy has said last; the usual number before it was first asked. */
    Wanted wanted() {
        return wanted;
    }

    /** All that it has said last, and why; nothing before it was first asked. */
    PlacementPlan plan() {
        return plan;
    }

    /** Asks, if it is time: also when an operator has said something else, for what was wanted before that is old. */
    void ask(PinTable table) {
        long now = around.nanoClock().getAsLong();
        table.pins().forEach(pin -> since.putIfAbsent(place(pin), now));
        Demand demand = PolicyViews.demand(around.view().get(), around.settings(), now);
        Duration interval = isWaitedFor(demand) ? HURRY : around.settings().policyInterval();
        boolean same = asked && table.placements().equals(askedPlacements);
        if (same && now - askedNanos < interval.toNanos()) {
            return;
        }
        since.keySet().retainAll(table.pins().stream().map(PolicyTurn::place).collect(Collectors.toSet()));
        PolicyView view = PolicyViews.of(
                around.view().get(),
                around.region(),
                region ->
                        region.equals(around.region()) ? table : around.tables().apply(region),
                pin -> ageMillis(pin, now),
                around.settings(),
                now,
                around.clock().millis());
        plan = policy.plan(view, demand);
        wanted = Wanted.by(plan, around.region());
        asked = true;
        askedNanos = now;
        askedPlacements = table.placements();
        tell();
    }

    /** Of other regions' pins nobody here decides. */
    private long ageMillis(Pin pin, long now) {
        Long placed = since.get(place(pin));
        return placed == null ? Long.MAX_VALUE : TimeUnit.NANOSECONDS.toMillis(now - placed);
    }

    private static Place place(Pin pin) {
        return new Place(pin.replica().toString(), pin.node());
    }

    private static boolean isWaitedFor(Demand demand) {
        return demand.regions().stream()
                .flatMap(region -> demand.in(region).values().stream())
                .anyMatch(model -> model.waiting() > 0);
    }

    private void tell() {
        List<Target> changes =
                plan.in(around.region()).stream().filter(Target::isChange).toList();
        changes.stream()
                .filter(change -> said.stream()
                        .noneMatch(before ->
                                before.model().equals(change.model()) && before.replicas() == change.replicas()))
                .forEach(change -> LOG.info("policy {}: {}", plan.policy(), change));
        said = changes;
    }
}
