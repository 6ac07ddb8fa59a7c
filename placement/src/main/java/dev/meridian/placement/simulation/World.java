package dev.meridian.placement.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Everything that there is at one moment; regions and models go by their numbers in the scenario. */
final class World {
    final Scenario scenario;
    final List<Node> nodes = new ArrayList<>();
    final EventQueue events = new EventQueue();
    final Tally tally;

    private final Map<String, Integer> regionNumbers = new HashMap<>();
    private final Map<String, Integer> modelNumbers = new HashMap<>();
    private final long[][] rttMicros;
    private final int[][] nearest;
    private final List<List<List<Replica>>> ready = new ArrayList<>();
    private final @Nullable DemandMeter[][] meters;

    World(Scenario scenario) {
        this.scenario = scenario;
        int regions = scenario.regions().size();
        int models = scenario.models().size();
        for (int i = 0; i < regions; i++) {
            int region = i;
            regionNumbers.put(scenario.regions().get(i).name(), i);
            scenario.regions().get(i).nodes().forEach(node -> nodes.add(new Node(node, region)));
        }
        for (int i = 0; i < models; i++) {
            modelNumbers.put(scenario.models().get(i).name(), i);
            List<List<Replica>> places = new ArrayList<>();
            for (int j = 0; j < regions; j++) {
                places.add(new ArrayList<>());
            }
            ready.add(places);
        }
        rttMicros = new long[regions][regions];
        nearest = new int[regions][];
        List<String> names =
                scenario.regions().stream().map(Scenario.Region::name).toList();
        for (String from : names) {
            for (String to : names) {
                rttMicros[regionNumber(from)][regionNumber(to)] =
                        scenario.rtts().between(from, to).orElseThrow();
            }
            nearest[regionNumber(from)] = scenario.rtts().nearest(from, names).stream()
                    .mapToInt(this::regionNumber)
                    .toArray();
        }
        meters = new DemandMeter[regions][models];
        tally = new Tally(scenario);
    }

    long now() {
        return events.now();
    }

    int regionNumber(String name) {
        return regionNumbers.getOrDefault(name, -1);
    }

    int modelNumber(String name) {
        return modelNumbers.getOrDefault(name, -1);
    }

    Scenario.Model model(int number) {
        return scenario.models().get(number);
    }

    long rtt(int from, int to) {
        return rttMicros[from][to];
    }

    /** All regions, as users of one prefer them. */
    int[] nearest(int from) {
        return nearest[from];
    }

    /** Replicas that take requests. */
    List<Replica> ready(int model, int region) {
        return ready.get(model).get(region);
    }

    DemandMeter meter(int region, int model) {
        DemandMeter meter = meters[region][model];
        if (meter == null) {
            meter = new DemandMeter(
                    model(model).name(),
                    Moments.micros(scenario.timing().halfLife()),
                    Moments.micros(scenario.timing().loadHalfLife()));
            meters[region][model] = meter;
        }
        return meter;
    }

    /** Null where nobody has ever asked. */
    @Nullable
    DemandMeter usedMeter(int region, int model) {
        return meters[region][model];
    }

    /** Of what was ever asked for in a region. */
    List<DemandMeter> meters(int region) {
        List<DemandMeter> used = new ArrayList<>();
        for (DemandMeter meter : meters[region]) {
            if (meter != null) {
                used.add(meter);
            }
        }
        return used;
    }
}
