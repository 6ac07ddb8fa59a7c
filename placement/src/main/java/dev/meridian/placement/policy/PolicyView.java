package dev.meridian.placement.policy;

import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Residency;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a policy sees of the cluster: values alone, so that a simulation can make one up.
 *
 * @param nowMillis since the epoch
 * @param models by name, each that any host could load
 */
public record PolicyView(long nowMillis, List<Region> regions, Map<String, Model> models) {
    public PolicyView {
        regions = List.copyOf(regions);
        models = Map.copyOf(models);
    }

    /**
     * A region.
     *
     * @param rttMicros to other regions, those that are known
     * @param held by its hosts: what is there or has been begun
     * @param placements what operators have said, by model
     */
    public record Region(
            String id,
            Map<String, Long> rttMicros,
            List<Host> hosts,
            List<Held> held,
            Map<String, ModelPlacement> placements) {
        public Region {
            rttMicros = Map.copyOf(rttMicros);
            hosts = List.copyOf(hosts);
            held = List.copyOf(held);
            placements = Map.copyOf(placements);
        }
    }

    /**
     * A node that holds replicas.
     *
     * @param usable whether it can take new ones
     * @param bundles models that it has on its disk
     * @param needs bytes for those models that need another number of them here than elsewhere
     */
    public record Host(String id, boolean usable, long budgetBytes, Set<String> bundles, Map<String, Long> needs) {
        /** One where models need what they need elsewhere. */
        public Host(String id, boolean usable, long budgetBytes, Set<String> bundles) {
            this(id, usable, budgetBytes, bundles, Map.of());
        }

        long neededBytes(Model model) {
            return needs.getOrDefault(model.id(), model.neededBytes());
        }
    }

    /**
     * A replica.
     *
     * @param ready whether it takes requests
     * @param ageMillis since it was placed there
     * @param streams that it serves or queues now
     */
    public record Held(String model, String host, boolean ready, long ageMillis, int streams) {}

    /**
     * A model.
     *
     * @param neededBytes of memory for a replica, where its node says nothing else
     * @param residency regions that may hold it
     */
    public record Model(String id, long neededBytes, Residency residency) {}
}
