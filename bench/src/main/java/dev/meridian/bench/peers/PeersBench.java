package dev.meridian.bench.peers;

import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.load.ChildJvm;
import dev.meridian.engine.ModelSettings.Kernels;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.RunnerSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs all contenders round by round, in an order that turns, so that all of them see the same machine. Each is a process
 * of its own that is idle while another one runs. One thread; good for one run.
 */
public final class PeersBench {
    static final String KERNELS = "Meridian";
    static final String STOCK = "Meridian, stock";
    static final String HTTP = "Meridian, HTTP";
    static final String LOOKUP = "Meridian, look-up";

    private static final int LOOKUP_TOKENS = 8;
    private static final Path HERE = Path.of(".");

    private final PeersPlan plan;
    private final PrintWriter progress;
    private final Bundle bundle;
    private final List<Contender> contenders = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Map<String, Contender.Resident> resident = new LinkedHashMap<>();
    private final Rounds rounds = new Rounds();

    private PeersBench(PeersPlan plan, PrintWriter progress) {
        this.plan = plan;
        this.progress = progress;
        bundle = Bundle.open(plan.bundle());
    }

    /**
     * Measures. A peer that does not start is left out with a note; one that fails later ends the run.
     *
     * @param progress hears what is being done
     * @throws MeasurementFailed where a contender fails
     */
    public static PeersReport run(PeersPlan plan, PrintWriter progress) throws IOException, InterruptedException {
        PeersBench bench = new PeersBench(plan, progress);
        double bandwidth;
        try {
            bench.start();
            bandwidth = bench.measure();
        } finally {
            bench.contenders.forEach(Contender::close);
        }
        return bench.report(bandwidth);
    }

    private void start() throws IOException, InterruptedException {
        say("starting the contenders");
        if (Kernels.AUTO.path() == null) {
            notes.add("no kernels for this machine: Meridian runs on ONNX Runtime's operators alone");
        } else {
            contenders.add(engine(KERNELS, "auto"));
        }
        contenders.add(engine(STOCK, "off"));
        Path gguf = plan.scratch().resolve("model.gguf");
        if (plan.npm().isPresent() || plan.llamaBench().isPresent()) {
            GgufWriter.write(plan.shape(), gguf);
        }
        if (plan.npm().isPresent()) {
            try {
                NodeLlama.install(plan.npm().get());
                contenders.add(NodeLlama.start(plan.npm().get(), gguf, plan.threads(), plan.shape()));
            } catch (MeasurementFailed | IOException e) {
                notes.add("llama.cpp of npm is left out: " + e.getMessage());
            }
        }
        plan.llamaBench()
                .ifPresent(program -> contenders.add(
                        new LlamaBench(program, gguf, plan.threads(), plan.llamaArguments(), plan.batchedArguments())));
        contenders.add(node(HTTP, 0));
        contenders.add(node(LOOKUP, LOOKUP_TOKENS));
    }

    private Contender engine(String name, String kernels) {
        List<String> command = ChildJvm.command(
                List.of("-XX:+UseSerialGC", "-Xmx256m"),
                EngineProcess.class.getName(),
                List.of(
                        plan.bundle().toString(),
                        record().toAbsolutePath().toString(),
                        Integer.toString(plan.threads()),
                        kernels));
        return ChildContender.start(name, 0, command, HERE);
    }

    private Path record() {
        return plan.scratch().resolve("verified");
    }

    private Contender node(String name, int speculativeTokens) throws IOException, InterruptedException {
        return HttpContender.start(
                name,
                plan.models(),
                bundle.id(),
                bundle.manifest().shape().vocabSize(),
                plan.threads(),
                speculativeTokens);
    }

    /** Returns the median of the memory's bandwidth, which is measured in every round, too. */
    private double measure() throws IOException, InterruptedException {
        List<Double> bandwidths = new ArrayList<>();
        try (MemoryBandwidth memory = new MemoryBandwidth(plan.threads())) {
            for (int round = 0; round <= plan.rounds(); round++) {
                say(round == 0 ? "warming up" : "round " + round + " of " + plan.rounds());
                for (Task task : Task.values()) {
                    if (task != Task.DECODE_8K) {
                        measure(task, round);
                    }
                }
                double bandwidth = memory.bytesPerSecond();
                if (round > 0) {
                    bandwidths.add(bandwidth);
                } else {
                    readResident();
                }
            }
        }
        say("8k context");
        measure(Task.DECODE_8K, 1);
        return Rounds.median(bandwidths);
    }

    private void measure(Task task, int round) throws IOException, InterruptedException {
        List<Contender> turn = new ArrayList<>(contenders);
        Collections.rotate(turn, round);
        for (Contender contender : turn) {
            if (contender.measures(task)) {
                double figure = contender.run(task);
                if (round > 0) {
                    rounds.add(contender.name(), task, figure);
                }
            }
        }
    }

    private void readResident() throws IOException {
        for (Contender contender : contenders) {
            contender.resident().ifPresent(memory -> resident.put(contender.name(), memory));
        }
    }

    private PeersReport report(double bandwidth) throws IOException {
        say("cost of a step by operator");
        String ours = rounds.has(KERNELS) ? KERNELS : STOCK;
        Kernels kernels = ours.equals(KERNELS) ? Kernels.AUTO : Kernels.OFF;
        RunnerSettings settings = new RunnerSettings(
                EngineProcess.SEQUENCES, Task.LONGEST, EngineProcess.CHUNK, plan.threads(), kernels.library());
        CheckedBundle checked = CheckedBundle.of(bundle, VerifiedFiles.at(record(), Clock.systemUTC()));
        List<PeersReport.Row> rows = contenders.stream()
                .map(contender -> new PeersReport.Row(
                        contender.name(), rounds.figures(contender.name()), resident.get(contender.name())))
                .toList();
        long weightBytes = settings.weightBytes(bundle.manifest());
        return new PeersReport(
                plan.shape().label(),
                plan.threads(),
                plan.rounds(),
                kernels.path(),
                bandwidth,
                weightBytes,
                rounds.median(ours, Task.DECODE_1) * weightBytes / bandwidth,
                rows,
                Ratios.of(rounds, resident, ours),
                StepCosts.measure(checked, settings),
                notes);
    }

    private void say(String what) {
        progress.println(what);
        progress.flush();
    }
}
