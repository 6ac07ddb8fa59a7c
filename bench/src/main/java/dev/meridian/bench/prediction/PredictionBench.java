package dev.meridian.bench.prediction;

import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.http.Script;
import dev.meridian.bench.load.ChildNode;
import dev.meridian.bench.load.Percentiles;
import dev.meridian.bench.prediction.FirstToken.Seen;
import dev.meridian.bench.prediction.PredictionReport.Figures;
import dev.meridian.placement.simulation.Arrival;
import dev.meridian.placement.simulation.Outcome;
import dev.meridian.placement.simulation.Scenario;
import dev.meridian.placement.simulation.Simulation;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Starts the nodes, measures on the idle cluster what the simulator has to be told, and lets both serve the same requests. */
final class PredictionBench implements AutoCloseable {
    private static final int WARM_UPS = 100;
    private static final int LONE = 60;

    private final PredictionPlan plan;
    private final Path folder;
    private final Map<String, ChildNode> nodes = new LinkedHashMap<>();

    private PredictionBench(PredictionPlan plan, Path folder) {
        this.plan = plan;
        this.folder = folder;
    }

    static PredictionReport run(PredictionPlan plan) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("meridian-bench-prediction-");
        try (PredictionBench bench = new PredictionBench(plan, folder)) {
            return bench.measure();
        }
    }

    private void start() throws IOException, InterruptedException {
        String seed = "127.0.0.1:" + ChildNode.freePort();
        for (String node : PredictionPlan.NODES) {
            String address = nodes.isEmpty() ? seed : "127.0.0.1:" + ChildNode.freePort();
            Path config = Files.writeString(
                    folder.resolve(node + ".conf"),
                    String.join(
                            "\n",
                            "meridian.node { id = " + node + ", region = " + PredictionPlan.region(node)
                                    + ", roles = [edge, model], state-dir = \"" + folder.resolve(node) + "\" }",
                            "meridian.cluster { host = \"127.0.0.1\", port = "
                                    + address.substring(address.indexOf(':') + 1) + ", seed-nodes = [\"" + seed
                                    + "\"] }",
                            "meridian.edge { client-port = 0, admin-port = 0 }",
                            PredictionPlan.configuration()));
            ChildNode child = ChildNode.start(
                    List.of("-Xmx512m"),
                    List.of(
                            "node",
                            "--config",
                            config.toString(),
                            "--scripted",
                            Integer.toString(PredictionPlan.TOKENS_PER_SECOND),
                            "--scripted-models",
                            Integer.toString(PredictionPlan.MODELS),
                            "--scripted-load-ms",
                            Long.toString(PredictionPlan.LOAD.toMillis()),
                            "--scripted-prefill-ms",
                            Long.toString(PredictionPlan.PREFILL.toMillis())));
            nodes.put(node, child);
            child.awaitReady();
        }
    }

    private PredictionReport measure() throws IOException, InterruptedException {
        start();
        double cold = coldMicros();
        double first = firstMicros();
        // Nodes without models and demand, as the simulated ones are.
        stop();
        start();
        Scenario scenario = plan.scenario(micros(first), micros(cold));
        Outcome simulated = Simulation.run(scenario, scenario.policies().policy(), plan.seed());
        Map<String, List<Seen>> seen = replay(Arrival.of(scenario, plan.seed()));
        return PredictionReport.of(plan, first / 1e3, cold / 1e3, figures(simulated), figures(seen));
    }

    private void stop() throws IOException {
        nodes.values().forEach(ChildNode::close);
        nodes.clear();
        deleteFiles();
    }

    private static Duration micros(double micros) {
        return Duration.ofNanos(Math.round(micros * 1e3));
    }

    /** The median of first requests for models that are loaded nowhere: one for each node, as long as there is room. */
    private double coldMicros() throws IOException {
        List<Long> all = new ArrayList<>();
        for (ChildNode node : nodes.values()) {
            String model = Script.model(all.size() + 1);
            Seen seen = FirstToken.of(node.api(), model, 1);
            if (!seen.cold()) {
                throw new MeasurementFailed(model + " was loaded before it was asked for");
            }
            all.add(seen.micros());
        }
        return median(all);
    }

    /** Of one request after the other, once code is compiled. */
    private double firstMicros() throws IOException {
        List<Long> all = new ArrayList<>();
        for (int i = 0; i < WARM_UPS + LONE; i++) {
            Seen seen = FirstToken.of(edge("eu", i), Script.model(1), 1);
            if (i >= WARM_UPS) {
                all.add(seen.micros());
            }
        }
        return median(all);
    }

    private static double median(List<Long> all) {
        return percentiles(all).at(0.5);
    }

    private static Percentiles percentiles(List<Long> all) {
        return new Percentiles(all.stream().mapToLong(Long::longValue).toArray(), all.size());
    }

    /** Of the edges of a region in turn. */
    private InetSocketAddress edge(String region, int number) {
        List<ChildNode> own = nodes.entrySet().stream()
                .filter(entry -> PredictionPlan.region(entry.getKey()).equals(region))
                .map(Map.Entry::getValue)
                .toList();
        return own.get(number % own.size()).api();
    }

    /** By region, in the scenario's order. */
    private Map<String, List<Seen>> replay(List<Arrival> arrivals) throws InterruptedException {
        Map<String, List<Seen>> seen = new LinkedHashMap<>();
        PredictionPlan.NODES.forEach(node -> seen.computeIfAbsent(
                PredictionPlan.region(node), _ -> Collections.synchronizedList(new ArrayList<>())));
        List<String> faults = Collections.synchronizedList(new ArrayList<>());
        List<Thread> clients = new ArrayList<>();
        long began = System.nanoTime();
        int number = 0;
        for (Arrival arrival : arrivals) {
            TimeUnit.NANOSECONDS.sleep(began + arrival.atMicros() * 1000 - System.nanoTime());
            int turn = number++;
            clients.add(Thread.ofVirtual().start(() -> {
                try {
                    Seen one = FirstToken.of(edge(arrival.region(), turn), arrival.model(), arrival.outputTokens());
                    Objects.requireNonNull(seen.get(arrival.region())).add(one);
                } catch (IOException e) {
                    faults.add(e.getMessage());
                }
            }));
        }
        for (Thread client : clients) {
            client.join();
        }
        if (!faults.isEmpty()) {
            throw new MeasurementFailed(faults.size() + " streams broke: " + faults.getFirst());
        }
        return seen;
    }

    private static List<Figures> figures(Outcome outcome) {
        return outcome.regions().stream()
                .map(region -> new Figures(
                        region.region(),
                        region.requests(),
                        region.coldHits(),
                        region.firstTokenP50Micros() / 1e3,
                        region.firstTokenP99Micros() / 1e3))
                .toList();
    }

    private static List<Figures> figures(Map<String, List<Seen>> seen) {
        return seen.entrySet().stream()
                .map(entry -> {
                    Percentiles times = percentiles(
                            entry.getValue().stream().map(Seen::micros).toList());
                    return new Figures(
                            entry.getKey(),
                            entry.getValue().size(),
                            entry.getValue().stream().filter(Seen::cold).count(),
                            times.at(0.5) / 1e3,
                            times.at(0.99) / 1e3);
                })
                .toList();
    }

    @Override
    public void close() throws IOException {
        stop();
        Files.delete(folder);
    }

    /** What the nodes have written: else they would go on where those before them were. */
    private void deleteFiles() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                if (!file.equals(folder)) {
                    Files.delete(file);
                }
            }
        }
    }
}
