package dev.meridian.placement.simulation;

import java.util.List;

/**
 * What came of a run.
 *
 * @param coldHits requests that had to wait for a load before their first token
 * @param failed requests that were not served within the scenario's timeout
 * @param loads that were begun, and {@code loadedBytes} all of their bytes
 * @param unloads replicas that were loaded and taken away again
 * @param heldByteHours memory of replicas by time, from their placement until it is free again, within the scenario's duration
 */
public record Outcome(
        String policy,
        long requests,
        long served,
        long failed,
        long coldHits,
        long loads,
        long unloads,
        long loadedBytes,
        double heldByteHours,
        List<RegionOutcome> regions,
        Timeline timeline) {
    /** The first-token time of a region where no request got one. */
    public static final long NONE = -1;

    public Outcome {
        regions = List.copyOf(regions);
    }

    /**
     * Of the users of a region, wherever they are served.
     *
     * @param firstTokenP50Micros from the request at the edge to its first token there, by nearest rank; -1 where there was none
     * @param firstTokenP99Micros the same
     */
    public record RegionOutcome(
            String region,
            long requests,
            long served,
            long failed,
            long coldHits,
            long firstTokenP50Micros,
            long firstTokenP99Micros) {}
}
