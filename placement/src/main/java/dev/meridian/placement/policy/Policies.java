package dev.meridian.placement.policy;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** The policies that there are, by name. */
public final class Policies {
    private static final Map<String, Function<PolicySettings, PlacementPolicy>> ALL = new TreeMap<>(Map.of(
            FollowDemand.NAME, FollowDemand::new,
            SpreadPolicy.NAME, SpreadPolicy::new,
            LeastRecentlyUsed.NAME, LeastRecentlyUsed::new));

    private Policies() {}

    /** The one of the settings. */
    public static PlacementPolicy of(PolicySettings settings) {
        return make(settings.policy()).apply(settings);
    }

    static void require(String name) {
        make(name);
    }

    private static Function<PolicySettings, PlacementPolicy> make(String name) {
        Function<PolicySettings, PlacementPolicy> made = ALL.get(name);
        if (made == null) {
            throw new IllegalArgumentException("policy '" + name + "': expected one of " + ALL.keySet());
        }
        return made;
    }
}
