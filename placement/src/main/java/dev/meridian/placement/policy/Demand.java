package dev.meridian.placement.policy;

import dev.meridian.protocol.cluster.ModelDemand;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What is asked of which model in which region, as the edges there count it. Immutable. */
public final class Demand {
    private static final Demand NONE = new Demand(Map.of());

    private final Map<String, Map<String, ModelDemand>> regions;

    private Demand(Map<String, Map<String, ModelDemand>> regions) {
        this.regions = regions;
    }

    public static Demand none() {
        return NONE;
    }

    /** What one edge of a region has counted. */
    public record Counted(String region, Collection<ModelDemand> models) {}

    /** Of all edges together. */
    public static Demand of(Collection<Counted> edges) {
        Map<String, Map<String, ModelDemand>> regions = new TreeMap<>();
        for (Counted edge : edges) {
            Map<String, ModelDemand> models = regions.computeIfAbsent(edge.region(), _ -> new TreeMap<>());
            edge.models().forEach(model -> models.merge(model.model(), model, ModelDemand::plus));
        }
        return new Demand(regions);
    }

    /** Regions where anything is asked. */
    public Set<String> regions() {
        return regions.keySet();
    }

    /** By model, in order. */
    public Map<String, ModelDemand> in(String region) {
        return regions.getOrDefault(region, Map.of());
    }

    /** Of a model in a region; nothing where nobody asks. */
    public ModelDemand of(String region, String model) {
        ModelDemand found = in(region).get(model);
        return found == null ? ModelDemand.none(model) : found;
    }
}
