package dev.meridian.placement.policy;

import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.placement.policy.Wish.Rank;
import dev.meridian.protocol.cluster.ModelDemand;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Decides for each region and model by itself, whatever other regions have; together they compete for the region's room alone. */
abstract class RegionalPolicy implements PlacementPolicy {
    private final String name;
    private final PolicySettings settings;

    RegionalPolicy(String name, PolicySettings settings) {
        this.name = name;
        this.settings = settings;
    }

    /** What a region would have of a model that it may hold; empty for nothing. */
    abstract Optional<Wish> wish(RegionFit fit, String model, ModelDemand asked);

    ModelRules rules(String model) {
        return settings.rules(model);
    }

    /** What requests wait for comes before all else. */
    static Rank rank(RegionFit fit, ModelDemand asked) {
        return asked.waiting() > 0 && fit.held(asked.model()) == 0 ? Rank.WAITED_FOR : Rank.UNASKED;
    }

    @Override
    public final PlacementPlan plan(PolicyView view, Demand demand) {
        List<Target> targets = new ArrayList<>();
        for (Region region : view.regions()) {
            RegionFit fit = new RegionFit(settings, view, region, 0);
            List<Wish> wishes = new ArrayList<>();
            for (String model : view.models().keySet()) {
                wish(fit, model, demand.of(region.id(), model))
                        .filter(_ -> fit.canHold(model))
                        .ifPresent(wishes::add);
            }
            targets.addAll(fit.fit(wishes));
        }
        return new PlacementPlan(name, targets);
    }
}
