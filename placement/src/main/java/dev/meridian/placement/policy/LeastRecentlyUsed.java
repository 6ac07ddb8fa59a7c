package dev.meridian.placement.policy;

import dev.meridian.protocol.cluster.ModelDemand;
import java.util.Optional;

/**
 * What most servers of one node do, in each region: load what is asked for, where it is asked for, and give up what nobody has
 * used for the longest time once there is no room. The base line that other policies are compared with.
 */
final class LeastRecentlyUsed extends RegionalPolicy {
    static final String NAME = "least-recently-used";

    LeastRecentlyUsed(PolicySettings settings) {
        super(NAME, settings);
    }

    @Override
    Optional<Wish> wish(RegionFit fit, String model, ModelDemand asked) {
        boolean used = fit.held(model) > 0 || asked.waiting() > 0;
        return used
                ? Optional.of(new Wish(model, 1, 0, rank(fit, asked), -(double) asked.idleMillis(), "used of late"))
                : Optional.empty();
    }
}
