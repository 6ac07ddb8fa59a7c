package dev.meridian.placement.policy;

import dev.meridian.placement.policy.PolicyView.Held;
import dev.meridian.placement.policy.PolicyView.Host;
import dev.meridian.placement.policy.PolicyView.Model;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Makes pictures of clusters for policies: regions are so many hours of RTT apart as their places in the alphabet. */
final class Pictures {
    static final long OLD = Duration.ofHours(1).toMillis();

    final Map<String, Model> models = new TreeMap<>();
    final Map<String, List<Host>> hosts = new TreeMap<>();
    final Map<String, List<Held>> held = new TreeMap<>();
    final Map<String, Map<String, ModelPlacement>> placements = new TreeMap<>();
    final List<Demand.Counted> counted = new ArrayList<>();
    long nowMillis = Duration.ofHours(12).toMillis();

    static ModelRules rules(int min, int max) {
        return new ModelRules(min, max, 8, false, Duration.ofMinutes(10), List.of());
    }

    static ModelRules preWarmed(LocalTime at) {
        return new ModelRules(0, 2, 8, false, Duration.ofMinutes(10), List.of(at));
    }

    static ModelRules keptWarm() {
        return new ModelRules(1, 2, 8, true, Duration.ofMinutes(10), List.of());
    }

    static PolicySettings settings(String policy, ModelRules rules) {
        return new PolicySettings(policy, Duration.ofSeconds(30), 1, Duration.ofSeconds(5), rules, Map.of());
    }

    Pictures model(String id, long bytes, Residency residency) {
        models.put(id, new Model(id, bytes, residency));
        return this;
    }

    Pictures model(String id, long bytes) {
        return model(id, bytes, Residency.ANYWHERE);
    }

    Pictures host(String region, String id, long budget) {
        hosts.computeIfAbsent(region, _ -> new ArrayList<>()).add(new Host(id, true, budget, models.keySet()));
        return this;
    }

    Pictures held(String region, String host, String model, long ageMillis, int streams) {
        held.computeIfAbsent(region, _ -> new ArrayList<>()).add(new Held(model, host, true, ageMillis, streams));
        return this;
    }

    Pictures placed(String region, String model, int replicas) {
        placements
                .computeIfAbsent(region, _ -> new HashMap<>())
                .put(model, new ModelPlacement(model, replicas, List.of()));
        return this;
    }

    Pictures asked(String region, String model, double perMinute, double streams) {
        counted.add(
                new Demand.Counted(region, List.of(new ModelDemand(model, perMinute / 60, 0, streams, 0, 0, 1_000))));
        return this;
    }

    Pictures waits(String region, String model, int requests, long millis) {
        counted.add(new Demand.Counted(region, List.of(new ModelDemand(model, 0.001, 0, 0, requests, millis, 0))));
        return this;
    }

    Pictures idle(String region, String model, Duration since) {
        counted.add(new Demand.Counted(region, List.of(new ModelDemand(model, 0.0001, 0, 0, 0, 0, since.toMillis()))));
        return this;
    }

    Demand demand() {
        return Demand.of(counted);
    }

    PolicyView view() {
        List<Region> regions = new ArrayList<>();
        for (String region : hosts.keySet()) {
            Map<String, Long> rtts = new TreeMap<>();
            hosts.keySet().forEach(other -> rtts.put(other, 10_000L * Math.abs(region.compareTo(other))));
            rtts.remove(region);
            regions.add(new Region(
                    region,
                    rtts,
                    hosts.getOrDefault(region, List.of()),
                    held.getOrDefault(region, List.of()),
                    placements.getOrDefault(region, Map.of())));
        }
        return new PolicyView(nowMillis, regions, models);
    }
}
