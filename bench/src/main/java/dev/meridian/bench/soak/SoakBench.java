package dev.meridian.bench.soak;

import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.load.ChildNode;
import dev.meridian.bench.load.Connection;
import dev.meridian.bench.load.Metrics;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Starts a node, measures its capacity, loads it for a long time, and samples it. One thread. */
final class SoakBench {
    private static final int FEW_WORDS = 10;
    private static final int MANY_WORDS = 40;
    /** What {@code up} allows by default; a longer context would only stretch the requests. */
    private static final int MOST_CONTEXT = 8192;

    private static final Duration SILENCE = Duration.ofMinutes(2);

    private final SoakPlan plan;
    private final Bundle bundle;
    private final Trace trace;
    private final Traffic.Shape shape;
    private final PrintWriter progress;

    private SoakBench(SoakPlan plan, PrintWriter progress) throws IOException {
        this.plan = plan;
        this.progress = progress;
        bundle = Bundle.open(plan.bundle());
        trace = plan.trace() == null ? Trace.synthetic(1) : Trace.read(plan.trace());
        BundleManifest.ModelShape model = bundle.manifest().shape();
        shape = new Traffic.Shape(
                Math.min(MOST_CONTEXT, model.contextTokens()),
                model.vocabSize(),
                bundle.manifest().eosTokenIds());
    }

    /** Runs to the end; {@code progress} gets a line for each sample. */
    static SoakReport run(SoakPlan plan, PrintWriter progress) throws IOException, InterruptedException {
        SoakBench bench = new SoakBench(plan, progress);
        Path folder = Files.createTempDirectory("meridian-soak");
        Path config = folder.resolve("soak.conf");
        Path models = folder.resolve("models");
        Path link = models.resolve(bench.bundle.id());
        try {
            Files.writeString(
                    config,
                    "meridian.engine { threads = " + plan.threads() + ", context = " + bench.shape.contextTokens()
                            + ", prefix-cache.enabled = false }\n");
            // A node serves a folder of bundles, and this is a folder with one.
            Files.createDirectory(models);
            Files.createSymbolicLink(link, plan.bundle().toAbsolutePath());
            try (ChildNode node = bench.start(models, config)) {
                return bench.measure(node);
            }
        } finally {
            for (Path made : List.of(link, models, config, folder)) {
                Files.deleteIfExists(made);
            }
        }
    }

    private ChildNode start(Path models, Path config) throws InterruptedException {
        String heap = plan.heapMegabytes() + "m";
        return ChildNode.startSingle(List.of("-Xms" + heap, "-Xmx" + heap, "-XX:+AlwaysPreTouch"), models, config);
    }

    private SoakReport measure(ChildNode node) throws IOException, InterruptedException {
        Traffic traffic = new Traffic(trace, bundle.id(), shape, chatCost(node.api()));
        ReplyCheck check = new ReplyCheck();
        double capacity = capacity(node, traffic, check);
        double target = plan.load() * capacity;
        double speed = target / trace.rate();
        progress.printf("capacity %.1f requests/s; %.1f/s for %.1f min%n", capacity, target, plan.minutes());
        progress.println(Sample.TABLE_HEADER);
        progress.flush();
        Tally tally = new Tally();
        List<Sample> samples = new ArrayList<>();
        double seconds = loadAndSample(node, traffic, check, tally, speed, samples);
        return new SoakReport(
                bundle.id(),
                bundle.manifest().weights(),
                trace.name(),
                plan.threads(),
                shape.contextTokens(),
                plan.load(),
                traffic.lengthScale(),
                speed,
                capacity,
                target,
                seconds,
                SoakReport.Requests.of(tally),
                Growth.of(samples),
                tally.problems(),
                samples);
    }

    private Traffic.ChatCost chatCost(InetSocketAddress api) throws IOException {
        return Traffic.ChatCost.between(FEW_WORDS, chatTokens(api, FEW_WORDS), MANY_WORDS, chatTokens(api, MANY_WORDS));
    }

    private int chatTokens(InetSocketAddress api, int words) throws IOException {
        ReplyReader reply = new ReplyReader(false);
        try (Connection connection = new Connection(api, SILENCE)) {
            connection.exchange(
                    "POST", SoakRequest.Kind.CHAT_WHOLE.path, Traffic.probe(bundle.id(), words), reply, () -> false);
        }
        if (reply.promptTokens() < 0) {
            throw new MeasurementFailed(
                    "a chat of " + words + " words: status " + reply.status() + ", " + reply.error());
        }
        return reply.promptTokens();
    }

    private double capacity(ChildNode node, Traffic traffic, ReplyCheck check) throws InterruptedException {
        Tally tally = new Tally();
        try (Clients clients = new Clients(node.api(), traffic, tally, check)) {
            Load load = new Load(clients, traffic, tally);
            load.closed(plan.clients(), Math.max(1, plan.capacitySeconds() / 2));
            double rate = load.closed(plan.clients(), plan.capacitySeconds());
            if (rate == 0 || tally.failed.sum() + tally.wrong.sum() > 0) {
                throw new MeasurementFailed("the capacity cannot be measured: " + tally.completed
                        + " requests completed, " + tally.problems());
            }
            return rate;
        }
    }

    private double loadAndSample(
            ChildNode node, Traffic traffic, ReplyCheck check, Tally tally, double speed, List<Sample> samples)
            throws IOException, InterruptedException {
        try (Clients clients = new Clients(node.api(), traffic, tally, check);
                PrintWriter csv = csv()) {
            csv.println(Sample.CSV_HEADER);
            Load load = new Load(clients, traffic, tally);
            long start = System.nanoTime();
            long seconds = Math.max(1, Math.round(plan.minutes() * 60));
            Sender sender = new Sender(() -> load.open(trace, speed, seconds, 1));
            long number = 0;
            while (!sender.awaitEnd(start + TimeUnit.SECONDS.toNanos(number * plan.sampleSeconds()))) {
                sample(node, tally, start, number, samples, csv);
                number++;
            }
            sender.throwIfFailed();
            sample(node, tally, start, number, samples, csv);
            return (System.nanoTime() - start) / 1e9;
        }
    }

    private void sample(ChildNode node, Tally tally, long start, long number, List<Sample> samples, PrintWriter csv)
            throws InterruptedException {
        try {
            boolean collect = plan.collectEvery() > 0 && number % plan.collectEvery() == 0;
            if (collect) {
                node.collectGarbage();
            }
            Metrics metrics = Metrics.read(node.admin());
            Sample sample = Sample.of((System.nanoTime() - start) / 1e9, metrics, collect, tally);
            samples.add(sample);
            csv.println(sample.csvLine());
            csv.flush();
            progress.println(sample.tableLine());
            progress.flush();
        } catch (IOException e) {
            if (!node.isAlive()) {
                throw new MeasurementFailed("the node ended:\n" + node.output(), e);
            }
            progress.println("no sample: " + e.getMessage());
            progress.flush();
        }
    }

    private PrintWriter csv() throws IOException {
        return plan.csv() == null
                ? new PrintWriter(java.io.Writer.nullWriter())
                : new PrintWriter(Files.newBufferedWriter(plan.csv()));
    }

    /** A thread that sends the load, and what it failed with. */
    private static final class Sender {
        private final Thread thread;
        private volatile @Nullable Exception failure;

        interface Work {
            void run() throws InterruptedException;
        }

        Sender(Work work) {
            thread = Thread.ofPlatform().name("load").daemon(true).start(() -> {
                try {
                    work.run();
                } catch (InterruptedException | RuntimeException e) {
                    failure = e;
                }
            });
        }

        /** Waits for the end, to a time of {@link System#nanoTime} at most; true where it has come. */
        boolean awaitEnd(long until) throws InterruptedException {
            long left = until - System.nanoTime();
            return left > 0 ? thread.join(Duration.ofNanos(left)) : !thread.isAlive();
        }

        void throwIfFailed() {
            if (failure != null) {
                throw new MeasurementFailed("the load generator failed: " + failure, failure);
            }
        }
    }
}
