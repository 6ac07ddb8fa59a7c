package dev.meridian.placement.policy;

import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.placement.policy.Wish.Rank;
import dev.meridian.protocol.cluster.ModelDemand;
import java.util.ArrayList;
import java.util.List;

/**
 * What most servers of one node do, in each region: load what is asked for, where it is asked for, and give up what nobody has
 * used for the longest time once there is no room. The base line that other policies are compared with.
 */
final class LeastRecentlyUsed implements PlacementPolicy {
    static final String NAME = "least-recently-used";

    private final PolicySettings settings;

    LeastRecentlyUsed(PolicySettings settings) {
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
            List<Wish> wishes = new ArrayList<>();
            for (String model : view.models().keySet()) {
                ModelDemand asked = demand.of(region.id(), model);
                boolean used = fit.held(model) > 0 || asked.waiting() > 0;
                if (used && fit.canHold(model)) {
                    wishes.add(new Wish(
                            model,
                            1,
                            0,
                            asked.waiting() > 0 && fit.held(model) == 0 ? Rank.WAITED_FOR : Rank.UNASKED,
                            -(double) asked.idleMillis(),
                            "used of late"));
                }
            }
            targets.addAll(fit.fit(wishes));
        }
        return new PlacementPlan(NAME, targets);
    }
}
