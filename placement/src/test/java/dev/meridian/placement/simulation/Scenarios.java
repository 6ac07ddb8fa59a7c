package dev.meridian.placement.simulation;

import dev.meridian.placement.policy.ModelRules;
import dev.meridian.placement.policy.PolicySettings;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Makes scenarios: nodes load 10 bytes a second after half a second, models decode 10 tokens a second. */
final class Scenarios {
    static final List<String> POLICIES = List.of("follow-demand", "spread", "least-recently-used");
    static final Duration LINGERS = Duration.ofSeconds(1);
    static final Duration MIN_RESIDENCE = Duration.ofSeconds(30);

    final List<Scenario.Region> regions = new ArrayList<>();
    final Map<String, Map<String, Long>> rtts = new TreeMap<>();
    final List<Scenario.Model> models = new ArrayList<>();
    final List<DemandSource> demand = new ArrayList<>();
    final List<Scenario.Outage> outages = new ArrayList<>();
    Duration duration = Duration.ofMinutes(5);
    ModelRules rules = new ModelRules(0, 2, 4, false, Duration.ofMinutes(10), List.of());

    static Lengths tokens(int count) {
        return Lengths.fixed(count);
    }

    Scenarios region(String name, int nodes, long budgetBytes) {
        return region(name, nodes, budgetBytes, Duration.ZERO);
    }

    Scenarios region(String name, int nodes, long budgetBytes, Duration meanUptime) {
        List<Scenario.Node> all = new ArrayList<>();
        for (int i = 1; i <= nodes; i++) {
            all.add(new Scenario.Node(name + "-" + i, budgetBytes, 10, Duration.ofMillis(500)));
        }
        regions.add(new Scenario.Region(name, all, meanUptime, Duration.ofSeconds(20)));
        return rtt(name, name, 3);
    }

    Scenarios rtt(String from, String to, long millis) {
        rtts.computeIfAbsent(from, _ -> new TreeMap<>()).put(to, 1000 * millis);
        return this;
    }

    Scenarios model(String name, long bytes, int slots, double weight) {
        models.add(new Scenario.Model(
                name, bytes, 10, Duration.ofMillis(200), Duration.ofMillis(1), slots, weight, Residency.ANYWHERE));
        return this;
    }

    /** Requests of 100 prompt tokens and 11 tokens of output at those times, and none after. */
    Scenarios asked(String region, String model, double... seconds) {
        List<Trace.Entry> entries = new ArrayList<>();
        for (double second : seconds) {
            entries.add(new Trace.Entry(Math.round(second * Moments.SECOND), 100, 11));
        }
        entries.add(new Trace.Entry(Duration.ofDays(9).toSeconds() * Moments.SECOND, 1, 1));
        demand.add(new DemandSource(
                region, new DemandSource.Replay(new Trace(entries), 1), List.of(model), tokens(1), tokens(1)));
        return this;
    }

    Scenarios rate(String region, double perSecond, String... model) {
        demand.add(new DemandSource(
                region,
                new DemandSource.Constant(perSecond),
                List.of(model),
                new Lengths(50, 1, 500),
                new Lengths(40, 0.7, 300)));
        return this;
    }

    Scenarios outage(String node, double atSeconds, double seconds) {
        outages.add(new Scenario.Outage(
                node, Duration.ofMillis(Math.round(1000 * atSeconds)), Duration.ofMillis(Math.round(1000 * seconds))));
        return this;
    }

    Scenario build() {
        return new Scenario(
                duration,
                LocalTime.MIDNIGHT,
                regions,
                new RoundTrips(Collections.unmodifiableMap(rtts)),
                models,
                demand,
                outages,
                new Scenario.Timing(
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(60),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(3),
                        LINGERS),
                new PolicySettings("spread", MIN_RESIDENCE, 1, Duration.ofSeconds(5), rules, Map.of()));
    }

    Outcome run(String policy) {
        return Simulation.run(build(), policy, 1);
    }
}
