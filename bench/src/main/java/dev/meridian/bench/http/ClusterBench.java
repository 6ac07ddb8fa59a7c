package dev.meridian.bench.http;

import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.load.ChildNode;
import dev.meridian.bench.load.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Starts two nodes, of which one alone holds a scripted model, and runs rounds whose streams enter at the one and at the other
 * in turn. One thread.
 */
final class ClusterBench {
    private final HttpPlan plan;

    private ClusterBench(HttpPlan plan) {
        this.plan = plan;
    }

    static ClusterReport run(HttpPlan plan) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("meridian-bench-cluster-");
        try {
            return new ClusterBench(plan).run(folder);
        } finally {
            for (String file : List.of("near.conf", "far.conf", "near.pins", "far.pins")) {
                Files.deleteIfExists(folder.resolve(file));
            }
            Files.deleteIfExists(folder);
        }
    }

    private ClusterReport run(Path folder) throws IOException, InterruptedException {
        String seed = "127.0.0.1:" + ChildNode.freePort();
        long started = System.nanoTime();
        try (ChildNode near = start(folder, "near", "[edge, model]", seed, seed)) {
            near.awaitReady();
            long startMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
            try (ChildNode far = start(folder, "far", "[edge]", "127.0.0.1:" + ChildNode.freePort(), seed)) {
                far.awaitReady();
                StreamClients.warmUp(plan.streams(), near.api());
                StreamClients.warmUp(plan.streams(), far.api());
                List<Round> local = new ArrayList<>();
                List<Round> remote = new ArrayList<>();
                for (int round = 0; round < plan.warmUps() + plan.rounds(); round++) {
                    local.add(round(near, near, far));
                    remote.add(round(far, near, far));
                }
                return new ClusterReport(
                        plan.streams(),
                        plan.rate(),
                        plan.seconds(),
                        plan.spreadSeconds(),
                        Round.median(local, plan.warmUps()),
                        Round.median(remote, plan.warmUps()),
                        local.subList(plan.warmUps(), local.size()),
                        remote.subList(plan.warmUps(), remote.size()),
                        startMillis,
                        List.of(rss(near), rss(far)));
            }
        }
    }

    private ChildNode start(Path folder, String id, String roles, String address, String seed)
            throws IOException, InterruptedException {
        int colon = address.indexOf(':');
        Path config = Files.writeString(
                folder.resolve(id + ".conf"),
                String.join(
                        "\n",
                        "meridian {",
                        "  node { id = " + id + ", region = bench, roles = " + roles + ", state-dir = \"" + folder
                                + "\" }",
                        "  cluster { host = \"" + address.substring(0, colon) + "\", port = "
                                + address.substring(colon + 1) + ", seed-nodes = [\"" + seed + "\"] }",
                        "  edge { client-port = 0, admin-port = 0 }",
                        "  host.prepare-capacity = " + Math.max(256, plan.streams()),
                        "  engine.memory-budget = 1 GiB",
                        "}"));
        return ChildNode.start(
                List.of("-Xmx1g"),
                List.of("node", "--config", config.toString(), "--scripted", Integer.toString(plan.rate())));
    }

    private Round round(ChildNode entered, ChildNode near, ChildNode far) {
        List<ProcessHandle> servers = List.of(
                ProcessHandle.of(near.pid()).orElseThrow(),
                ProcessHandle.of(far.pid()).orElseThrow());
        try (StreamClients clients = new StreamClients(
                plan.streams(), plan.tokens(), Duration.ofSeconds(plan.spreadSeconds()), entered.api())) {
            CpuWindow cpu = new CpuWindow(servers, plan);
            clients.run(cpu);
            return Round.of(plan, clients.clients(), cpu);
        } catch (IOException e) {
            throw new MeasurementFailed("a stream broke: " + e.getMessage() + "\n" + entered.output(), e);
        }
    }

    private static long rss(ChildNode node) throws IOException {
        return (long) Metrics.read(node.admin()).sum("process_resident_memory_bytes");
    }
}
