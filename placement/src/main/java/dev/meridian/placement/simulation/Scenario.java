package dev.meridian.placement.simulation;

import dev.meridian.placement.policy.PolicySettings;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.time.LocalTime;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What is simulated.
 *
 * @param duration for so long requests come; those that are open then are served to their end
 * @param startsAt the time of day, UTC, at which it begins
 * @param rtts between regions, and within each
 * @param policies how policies decide; which one does is said for each run
 */
public record Scenario(
        Duration duration,
        LocalTime startsAt,
        List<Region> regions,
        RoundTrips rtts,
        List<Model> models,
        List<DemandSource> demand,
        List<Outage> outages,
        Timing timing,
        PolicySettings policies) {
    /** Throws IllegalArgumentException where parts contradict each other. */
    public Scenario {
        regions = List.copyOf(regions);
        models = List.copyOf(models);
        demand = List.copyOf(demand);
        outages = List.copyOf(outages);
        require(duration.isPositive(), "duration: expected above 0");
        require(!regions.isEmpty(), "expected at least one region");
        require(!models.isEmpty(), "expected at least one model");
        Set<String> regionNames = new HashSet<>();
        Set<String> nodeNames = new HashSet<>();
        for (Region region : regions) {
            require(regionNames.add(region.name()), "two regions are called " + region.name());
            region.nodes().forEach(node -> require(nodeNames.add(node.name()), "two nodes are called " + node.name()));
        }
        requireRoundTrips(regions, rtts);
        Set<String> modelNames = new HashSet<>();
        for (Model model : models) {
            require(modelNames.add(model.name()), "two models are called " + model.name());
            require(
                    model.residency().anywhere()
                            || regionNames.containsAll(model.residency().regions()),
                    "regions of " + model.name() + ": there is no such region");
        }
        for (DemandSource source : demand) {
            require(
                    regionNames.contains(source.region()),
                    "demand in " + source.region() + ": there is no such region");
            source.models()
                    .forEach(name ->
                            require(modelNames.contains(name), "demand for " + name + ": there is no such model"));
        }
        outages.forEach(outage ->
                require(nodeNames.contains(outage.node()), "outage of " + outage.node() + ": there is no such node"));
        for (String name : policies.models().keySet()) {
            require(modelNames.contains(name), "rules of " + name + ": there is no such model");
        }
    }

    private static void requireRoundTrips(List<Region> regions, RoundTrips rtts) {
        for (Region from : regions) {
            for (Region to : regions) {
                require(
                        rtts.between(from.name(), to.name()).isPresent(),
                        "rtt: nothing is said of " + from.name() + " and " + to.name());
            }
        }
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }

    /**
     * A place with nodes and users.
     *
     * @param meanUptime of each of its nodes, exponentially distributed; zero for nodes that do not fail by chance
     * @param meanRepair of a node that failed by chance, exponentially distributed
     */
    public record Region(String name, List<Node> nodes, Duration meanUptime, Duration meanRepair) {
        public Region {
            nodes = List.copyOf(nodes);
            require(
                    ReplicaId.NAME.matcher(name).matches(),
                    "region '" + name + "': expected 1 to 32 characters of a-z, 0-9 and -, the first and last no -");
            require(!meanUptime.isNegative(), "mean-uptime: expected no negative time");
            require(meanRepair.isPositive(), "mean-repair: expected above 0");
        }
    }

    /**
     * A node that holds replicas.
     *
     * @param loadBytesPerSecond of one load; a node loads one replica at a time
     * @param loadOverhead of each load, whatever its size
     */
    public record Node(String name, long budgetBytes, long loadBytesPerSecond, Duration loadOverhead) {
        public Node {
            require(budgetBytes > 0, "budget: expected above 0");
            require(loadBytesPerSecond > 0, "load-bytes-per-second: expected above 0");
            require(!loadOverhead.isNegative(), "load-overhead: expected no negative time");
        }
    }

    /**
     * A model.
     *
     * @param bytes of memory for a replica, and as many to load
     * @param tokensPerSecond of each stream, however many a replica runs
     * @param firstToken until a stream that has a slot has its first token, whatever its prompt
     * @param prefillPerToken and for each token of the prompt
     * @param slots streams that a replica runs at a time; others queue
     * @param weight its share of the requests is this by the sum of all
     */
    public record Model(
            String name,
            long bytes,
            double tokensPerSecond,
            Duration firstToken,
            Duration prefillPerToken,
            int slots,
            double weight,
            Residency residency) {
        public Model {
            require(bytes > 0, "bytes: expected above 0");
            require(tokensPerSecond > 0 && Double.isFinite(tokensPerSecond), "tokens-per-second: expected above 0");
            require(!firstToken.isNegative() && !prefillPerToken.isNegative(), "expected no negative time of prefill");
            require(slots > 0, "slots: expected at least 1");
            require(weight > 0 && Double.isFinite(weight), "weight: expected above 0");
        }
    }

    /** A node fails and comes back, empty. */
    public record Outage(String node, Duration at, Duration lasts) {
        public Outage {
            require(!at.isNegative(), "at: expected no negative time");
            require(lasts.isPositive(), "lasts: expected above 0");
        }
    }

    /**
     * How the cluster behaves.
     *
     * @param policyInterval how often the policy plans while requests wait, replicas load or drain, or nodes are away
     * @param calmInterval how often else
     * @param halfLife of the average of requests
     * @param loadHalfLife of the averages of streams and tokens
     * @param requestTimeout a request that has not begun to be served after so long fails
     * @param failoverAfter until a stream whose node failed goes on elsewhere
     * @param rehomeAfter until the placement gives up a node that failed
     * @param lingers a replica that is taken away keeps its memory for so long after its last request
     */
    public record Timing(
            Duration policyInterval,
            Duration calmInterval,
            Duration halfLife,
            Duration loadHalfLife,
            Duration requestTimeout,
            Duration failoverAfter,
            Duration rehomeAfter,
            Duration lingers) {
        public Timing {
            require(policyInterval.isPositive(), "policy-interval: expected above 0");
            require(
                    calmInterval.compareTo(policyInterval) >= 0,
                    "calm-interval: expected at least policy-interval, " + policyInterval.toMillis() + " ms");
            require(halfLife.isPositive(), "demand-half-life: expected above 0");
            require(loadHalfLife.isPositive(), "load-half-life: expected above 0");
            require(requestTimeout.isPositive(), "request-timeout: expected above 0");
            require(!failoverAfter.isNegative(), "failover-after: expected no negative time");
            require(!rehomeAfter.isNegative(), "rehome-after: expected no negative time");
            require(!lingers.isNegative(), "lingers: expected no negative time");
        }
    }
}
