package dev.meridian.bench.prediction;

import dev.meridian.bench.http.Script;
import dev.meridian.placement.policy.ModelRules;
import dev.meridian.placement.policy.PolicySettings;
import dev.meridian.placement.simulation.DemandSource;
import dev.meridian.placement.simulation.DemandSource.Constant;
import dev.meridian.placement.simulation.Lengths;
import dev.meridian.placement.simulation.RoundTrips;
import dev.meridian.placement.simulation.Scenario;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The scenario, for both: two regions of two nodes, with room for all six models. Some are asked for all the time, the others so seldom
 * that they are unloaded in between: their requests wait for loads.
 *
 * @param duration for how long requests come
 */
record PredictionPlan(Duration duration, long seed) {
    static final List<String> NODES = List.of("eu-1", "eu-2", "us-1", "us-2");
    static final int MODELS = 6;
    static final int TOKENS_PER_SECOND = 200;
    static final Duration LOAD = Duration.ofMillis(1500);
    static final Duration PREFILL = Duration.ofMillis(80);

    private static final String POLICY = "follow-demand";
    private static final long BUDGET_BYTES = 300L << 20;
    private static final Lengths OUTPUT = new Lengths(100, 0.5, 400);
    private static final Duration ASKED = Duration.ofMillis(200);
    private static final Duration CALM = Duration.ofSeconds(1);
    private static final Duration HALF_LIFE = Duration.ofMinutes(1);
    private static final Duration LOAD_HALF_LIFE = Duration.ofSeconds(30);
    private static final Duration RESIDENCE = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final double WARM_ABOVE = 6;
    private static final ModelRules RULES = new ModelRules(0, 2, 16, false, Duration.ofSeconds(10), List.of());

    static String region(String node) {
        return node.substring(0, node.indexOf('-'));
    }

    /** What a node needs beside its name and addresses. */
    static String configuration() {
        return String.join(
                "\n",
                "meridian.engine.memory-budget = " + (BUDGET_BYTES >> 20) + " MiB",
                "meridian.placement {",
                "  policy = " + POLICY + ", policy-interval = " + CALM.toMillis() + " ms, warm-above = " + WARM_ABOVE,
                "  demand-half-life = " + HALF_LIFE.toSeconds() + " s, load-half-life = " + LOAD_HALF_LIFE.toSeconds()
                        + " s",
                "  min-residence = " + RESIDENCE.toSeconds() + " s, patience = " + PATIENCE.toSeconds() + " s",
                "  replicas = " + RULES.minReplicas(),
                "  defaults { max-replicas = " + RULES.maxReplicas() + ", streams-per-replica = "
                        + RULES.streamsPerReplica() + ", idle-unload = "
                        + RULES.idleUnload().toSeconds() + " s }",
                "}");
    }

    /**
     * What the simulator takes.
     *
     * @param firstToken of a lone request at a replica that is loaded, as a client sees it
     * @param coldToken of a lone request for a model that is not loaded
     */
    Scenario scenario(Duration firstToken, Duration coldToken) {
        // The policy is asked some time within the interval at which it is asked while a request waits.
        Duration load = coldToken.minus(firstToken).minus(ASKED.dividedBy(2));
        List<Scenario.Region> regions = NODES.stream()
                .map(PredictionPlan::region)
                .distinct()
                .map(region -> new Scenario.Region(
                        region,
                        NODES.stream()
                                .filter(node -> region(node).equals(region))
                                .map(node -> new Scenario.Node(node, BUDGET_BYTES, Long.MAX_VALUE, load))
                                .toList(),
                        Duration.ZERO,
                        Duration.ofMinutes(1)))
                .toList();
        List<Scenario.Model> models = IntStream.rangeClosed(1, MODELS)
                .mapToObj(number -> new Scenario.Model(
                        Script.model(number),
                        Script.MODEL_BYTES,
                        TOKENS_PER_SECOND,
                        firstToken,
                        Duration.ZERO,
                        1024,
                        1.0 / (number * number),
                        Residency.ANYWHERE))
                .toList();
        return new Scenario(
                duration,
                LocalTime.NOON,
                regions,
                new RoundTrips(Map.of("eu", Map.of("us", 0L))),
                models,
                List.of(source("eu", 1.5), source("us", 1)),
                List.of(),
                new Scenario.Timing(
                        ASKED,
                        CALM,
                        HALF_LIFE,
                        LOAD_HALF_LIFE,
                        Duration.ofSeconds(60),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(1)),
                new PolicySettings(POLICY, RESIDENCE, WARM_ABOVE, PATIENCE, RULES, Map.of()));
    }

    private static DemandSource source(String region, double perSecond) {
        return new DemandSource(region, new Constant(perSecond), List.of(), Lengths.fixed(2), OUTPUT);
    }
}
