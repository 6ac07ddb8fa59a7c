package dev.meridian.placement.policy;

import dev.meridian.protocol.cluster.ModelDemand;
import java.util.Optional;

/** The same everywhere, whatever is asked: {@code min-replicas} of each model, at least one, where there is room. */
final class SpreadPolicy extends RegionalPolicy {
    static final String NAME = "spread";

    SpreadPolicy(PolicySettings settings) {
        super(NAME, settings);
    }

    @Override
    Optional<Wish> wish(RegionFit fit, String model, ModelDemand asked) {
        ModelRules rules = rules(model);
        int replicas = Math.max(1, rules.minReplicas());
        int keptWarm = rules.keepWarm() ? replicas : 0;
        int held = fit.held(model) > 0 ? 1 : 0;
        return Optional.of(new Wish(model, replicas, keptWarm, rank(fit, asked), held, "spread"));
    }
}
