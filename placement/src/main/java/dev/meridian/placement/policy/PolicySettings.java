package dev.meridian.placement.policy;

import java.time.Duration;
import java.util.Map;

/**
 * How a policy decides; see {@code meridian.placement} in reference.conf.
 *
 * @param policy its name
 * @param minResidence what was loaded stays for at least so long
 * @param warmAbove requests a minute, in a region, from which on a model is worth a replica there; half of it keeps one
 * @param patience a request that waits for so long for a load takes the room of models whose streams still run
 * @param defaults of models that have no rules of their own
 * @param models by name
 */
public record PolicySettings(
        String policy,
        Duration minResidence,
        double warmAbove,
        Duration patience,
        ModelRules defaults,
        Map<String, ModelRules> models) {
    public PolicySettings {
        models = Map.copyOf(models);
        if (minResidence.isNegative() || patience.isNegative()) {
            throw new IllegalArgumentException("min-residence and patience: expected no negative times");
        }
        if (!(warmAbove > 0)) {
            throw new IllegalArgumentException("warm-above " + warmAbove + ": expected above 0 requests a minute");
        }
        Policies.require(policy);
    }

    public ModelRules rules(String model) {
        return models.getOrDefault(model, defaults);
    }
}
