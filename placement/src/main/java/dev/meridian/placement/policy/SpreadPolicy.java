package dev.meridian.placement.policy;

import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.placement.policy.Wish.Rank;
import dev.meridian.protocol.cluster.ModelDemand;
import java.util.ArrayList;
import java.util.List;

/** The same everywhere, whatever is asked: {@code min-replicas} of each model, at least one, where there is room. */
final class SpreadPolicy implements PlacementPolicy {
    static final String NAME = "spread";

    private final PolicySettings settings;

    SpreadPolicy(PolicySettings settings) {
        this.settings = settings;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public PlacementPlan plan(PolicyView view, Demand demand) {
        List<Target> targets = new ArrayList<>();
        for (Region region : view.regions()) {
            RegionFit fit = new RegionFit(settings, view, region, 0);
            List<Wish> wishes = view.models().keySet().stream()
                    .sorted()
                    .filter(fit::canHold)
                    .map(model -> wish(fit, model, demand.of(region.id(), model)))
                    .toList();
            targets.addAll(fit.fit(wishes));
        }
        return new PlacementPlan(NAME, targets);
    }

    private Wish wish(RegionFit fit, String model, ModelDemand asked) {
        ModelRules rules = settings.rules(model);
        boolean waits = asked.waiting() > 0 && fit.held(model) == 0;
        int replicas = Math.max(1, rules.minReplicas());
        return new Wish(
                model,
                replicas,
                rules.keepWarm() ? replicas : 0,
                waits ? Rank.WAITED_FOR : Rank.UNASKED,
                fit.held(model) > 0 ? 1 : 0,
                "spread");
    }
}
