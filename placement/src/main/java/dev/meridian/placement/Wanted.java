package dev.meridian.placement;

import dev.meridian.placement.policy.PlacementPlan;
import dev.meridian.placement.policy.PlacementPlan.Target;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How many replicas of each bundle a region should have where no operator has placed its model.
 *
 * @param usual of bundles that are not named
 * @param replicas of models, by name
 * @param exact whether more are too many; else they are left where they are
 */
record Wanted(int usual, Map<String, Integer> replicas, boolean exact) {
    Wanted {
        replicas = Map.copyOf(replicas);
    }

    /** The same number of each. */
    static Wanted usual(int replicas) {
        return new Wanted(replicas, Map.of(), false);
    }

    /** What a policy wants of a region; nothing of what it does not mention. */
    static Wanted by(PlacementPlan plan, String region) {
        return new Wanted(0, plan.in(region).stream().collect(Collectors.toMap(Target::model, Target::replicas)), true);
    }

    /** With another number of one model. */
    Wanted with(String model, int number) {
        Map<String, Integer> changed = new HashMap<>(replicas);
        changed.put(model, number);
        return new Wanted(usual, changed, exact);
    }

    int of(String model) {
        return replicas.getOrDefault(model, usual);
    }
}
