package dev.meridian.bench.http;

import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.load.ChildNode;
import dev.meridian.bench.load.Metrics;
import dev.meridian.bench.load.Percentiles;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Starts a node with a scripted model, runs the rounds, and the same engine bare. One thread. */
final class HttpBench {
    private static final String TOKENS = "meridian_engine_decode_tokens_total";
    private static final long STEP_WAIT_SECONDS = 60;

    private final HttpPlan plan;

    private HttpBench(HttpPlan plan) {
        this.plan = plan;
    }

    static HttpReport run(HttpPlan plan) throws IOException, InterruptedException {
        HttpBench bench = new HttpBench(plan);
        double bare = bench.bare();
        return HttpReport.of(plan, bare, bench.rounds());
    }

    private ChildNode start(String... more) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "bench-server",
                "--streams",
                Integer.toString(plan.streams()),
                "--rate",
                Integer.toString(plan.rate()),
                "--tokens",
                Integer.toString(plan.tokens())));
        command.addAll(List.of(more));
        return ChildNode.start(List.of("-Xmx1g"), command);
    }

    private List<Round> rounds() throws IOException, InterruptedException {
        List<Round> rounds = new ArrayList<>();
        try (ChildNode node = start()) {
            ProcessHandle server = ProcessHandle.of(node.pid()).orElseThrow();
            StreamClients.warmUp(plan.streams(), node.api());
            for (int round = 0; round < plan.warmUps() + plan.rounds(); round++) {
                try (StreamClients clients = new StreamClients(
                        plan.streams(), plan.tokens(), Duration.ofSeconds(plan.spreadSeconds()), node.api())) {
                    CpuWindow cpu = new CpuWindow(List.of(server), plan);
                    clients.run(cpu);
                    rounds.add(Round.of(plan, clients.clients(), cpu));
                } catch (IOException e) {
                    throw new MeasurementFailed("a stream broke: " + e.getMessage() + "\n" + node.output(), e);
                }
            }
        }
        return rounds;
    }

    /** Microseconds of CPU for each token without actors and HTTP: median of as many windows as there are rounds. */
    private double bare() throws IOException, InterruptedException {
        try (ChildNode node = start("--bare")) {
            ProcessHandle server = ProcessHandle.of(node.pid()).orElseThrow();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STEP_WAIT_SECONDS);
            while (tokens(node) < (long) plan.streams() * plan.rate()) {
                if (System.nanoTime() - end > 0) {
                    throw new MeasurementFailed("the bare engine makes no tokens:\n" + node.output());
                }
                TimeUnit.MILLISECONDS.sleep(100);
            }
            double[] micros = new double[plan.rounds()];
            for (int i = 0; i < micros.length; i++) {
                double tokens = tokens(node);
                long cpu = CpuWindow.cpuNanos(server);
                TimeUnit.SECONDS.sleep(plan.seconds() - plan.spreadSeconds());
                long used = CpuWindow.cpuNanos(server) - cpu;
                micros[i] = used / 1e3 / (tokens(node) - tokens);
            }
            return Percentiles.median(micros);
        }
    }

    private static double tokens(ChildNode node) throws IOException {
        return Metrics.read(node.admin()).sum(TOKENS);
    }
}
