package dev.meridian.placement.simulation;

import java.util.List;

/**
 * How a run went, in equal steps of time.
 *
 * @param models the most popular ones; what is counted of all others together stands behind them
 */
public record Timeline(long stepMicros, List<String> models, List<RegionLine> regions, List<Down> downs) {
    public Timeline {
        models = List.copyOf(models);
        regions = List.copyOf(regions);
        downs = List.copyOf(downs);
    }

    /**
     * Of a region.
     *
     * @param requests its users' in each step
     * @param replicas that its nodes hold in the middle of each step, {@code [model][step]}, the others last
     */
    public record RegionLine(String region, List<Long> requests, List<List<Integer>> replicas) {
        public RegionLine {
            requests = List.copyOf(requests);
            replicas = List.copyOf(replicas);
        }
    }

    /** A node was away. */
    public record Down(String region, String node, long fromMicros, long toMicros) {}
}
