package dev.meridian.node;

import dev.meridian.bench.load.ReportOption;
import dev.meridian.bench.peers.PeerShape;
import dev.meridian.bench.peers.PeersBench;
import dev.meridian.bench.peers.PeersPlan;
import dev.meridian.bench.peers.PeersReport;
import dev.meridian.builder.Synthesizer;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench peers}. It stands here because it makes a bundle, which the other measurements do not. */
@Command(
        name = "peers",
        description = {
            "Meridian beside llama.cpp: the same shape, 4-bit random weights, the same machine, rounds in turn.",
            "llama.cpp comes from npm (node-llama-cpp, installed into a folder of its own) and, with --llama-bench,"
                    + " from a local build."
        })
final class PeersCommand implements Callable<Integer> {
    private static final long SEED = 1;

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            defaultValue = "qwen2.5-0.5b",
            description = "qwen2.5-0.5b or qwen2.5-1.5b. Default: ${DEFAULT-VALUE}.")
    private String shape;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "2",
            description = "Threads of each engine. Default: ${DEFAULT-VALUE}.")
    private int threads;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "How often each is measured, after one round to warm up. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--npm-folder",
            paramLabel = "DIR",
            description = "Where node-llama-cpp is installed and kept. Default: ~/.cache/meridian/node-llama-cpp.")
    private @Nullable Path npmFolder;

    @Option(names = "--no-npm", description = "Install and measure nothing of npm.")
    private boolean withoutNpm;

    @Option(
            names = "--llama-bench",
            paramLabel = "PATH",
            description = "A local build's llama-bench; decoding needs llama-batched-bench beside it.")
    private @Nullable Path llamaBench;

    @Option(
            names = "--llama-arguments",
            paramLabel = "ARGS",
            split = " ",
            description = "Further arguments for llama-bench, in one word: \"-fa 1\".")
    private List<String> llamaArguments = List.of();

    @Option(
            names = "--batched-arguments",
            paramLabel = "ARGS",
            split = " ",
            description = "Further arguments for llama-batched-bench, in one word.")
    private List<String> batchedArguments = List.of();

    @Mixin
    private ReportOption output = new ReportOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, ImportException, InterruptedException {
        PeerShape peerShape = shape();
        requirePositive("--threads", threads);
        requirePositive("--rounds", rounds);
        if (llamaBench != null && !Files.isExecutable(llamaBench)) {
            throw new ParameterException(
                    spec.commandLine(), "--llama-bench " + llamaBench + ": there is no program that can be run");
        }
        PrintWriter err = spec.commandLine().getErr();
        try (Scratch scratch = Scratch.create("meridian-peers")) {
            Path models =
                    Files.createDirectory(scratch.folder().resolve("models")).toAbsolutePath();
            Path bundle = models.resolve(peerShape.label());
            Path config = scratch.folder().resolve("config.json");
            peerShape.writeConfig(config);
            try (ProgressBar bar = ProgressBar.on(err)) {
                new Synthesizer().run(config, bundle, Weights.INT4, SEED, ImportCommand.progress(bar, ""));
            }
            PeersPlan plan = new PeersPlan(
                    peerShape,
                    models,
                    scratch.folder(),
                    threads,
                    rounds,
                    npm(),
                    Optional.ofNullable(llamaBench),
                    llamaArguments,
                    batchedArguments);
            PeersReport report = PeersBench.run(plan, err);
            output.print(spec.commandLine().getOut(), report, report::print);
        }
        return 0;
    }

    private PeerShape shape() {
        try {
            return PeerShape.named(shape);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private void requirePositive(String option, int value) {
        if (value < 1) {
            throw new ParameterException(spec.commandLine(), option + " " + value + ": expected at least 1");
        }
    }

    private Optional<Path> npm() {
        if (withoutNpm) {
            return Optional.empty();
        }
        return Optional.of(
                npmFolder != null
                        ? npmFolder
                        : Path.of(System.getProperty("user.home"), ".cache", "meridian", "node-llama-cpp"));
    }
}
