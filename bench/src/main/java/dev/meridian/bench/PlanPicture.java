package dev.meridian.bench;

import dev.meridian.placement.policy.Demand;
import dev.meridian.placement.policy.PolicyView;
import dev.meridian.placement.policy.PolicyView.Held;
import dev.meridian.placement.policy.PolicyView.Host;
import dev.meridian.placement.policy.PolicyView.Model;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.Residency;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A cluster that is made up, always the same one: nodes hold twenty replicas each and are nearly full; the n-th model is asked for by 1/n,
 * in each region another one most; of a hundred models one has requests that wait.
 *
 * @param nodes in all regions together
 */
record PlanPicture(int nodes, int models, int regions) {
    private static final long MODEL_BYTES = 1000;
    private static final int HELD_BY_NODE = 20;
    private static final long NOW = 50_000_000;
    private static final double REGION_RATE = 200;

    private static String model(int number) {
        return String.format("model-%05d", number);
    }

    private static String region(int number) {
        return String.format("region-%02d", number);
    }

    PolicyView view() {
        SplittableRandom random = new SplittableRandom(1);
        Map<String, Model> all = new TreeMap<>();
        for (int i = 0; i < models; i++) {
            long bytes = MODEL_BYTES / 2 + random.nextLong(MODEL_BYTES);
            all.put(model(i), new Model(model(i), bytes, Residency.ANYWHERE));
        }
        Set<String> bundles = Set.copyOf(all.keySet());
        List<Region> made = new ArrayList<>();
        for (int i = 0; i < regions; i++) {
            made.add(region(i, bundles, random));
        }
        return new PolicyView(NOW, made, all);
    }

    private Region region(int number, Set<String> bundles, SplittableRandom random) {
        Map<String, Long> rtts = new TreeMap<>();
        for (int other = 0; other < regions; other++) {
            if (other != number) {
                rtts.put(region(other), 10_000L * Math.abs(other - number));
            }
        }
        List<Host> hosts = new ArrayList<>();
        List<Held> held = new ArrayList<>();
        for (int i = number; i < nodes; i += regions) {
            String host = String.format("node-%04d", i);
            hosts.add(new Host(host, true, MODEL_BYTES * (HELD_BY_NODE + 2), bundles));
            int first = random.nextInt(models);
            for (int j = 0; j < Math.min(HELD_BY_NODE, models); j++) {
                String model = model((first + j * 37) % models);
                held.add(new Held(model, host, true, random.nextLong(3_600_000), random.nextInt(3)));
            }
        }
        return new Region(region(number), rtts, hosts, held, Map.of());
    }

    Demand demand() {
        SplittableRandom random = new SplittableRandom(2);
        List<Demand.Counted> counted = new ArrayList<>();
        for (int region = 0; region < regions; region++) {
            List<ModelDemand> asked = new ArrayList<>();
            for (int i = 0; i < models; i++) {
                double rate = REGION_RATE / (1 + i) / Math.log(models + 2.0);
                int waiting = random.nextInt(100) == 0 ? 1 : 0;
                String model = model((int) ((i + (long) region * models / regions) % models));
                asked.add(new ModelDemand(
                        model, rate, 20 * rate, 4 * rate, waiting, 1000L * waiting, random.nextLong(900_000)));
            }
            counted.add(new Demand.Counted(region(region), asked));
        }
        return Demand.of(counted);
    }
}
