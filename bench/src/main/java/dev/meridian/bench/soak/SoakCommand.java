package dev.meridian.bench.soak;

import dev.meridian.bench.load.ReportOption;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bench soak}: exit code 0 where nothing grew and every reply was right, else 1. */
@Command(
        name = "soak",
        description = {
            "Load a node for a long time with the arrivals and lengths of a trace, check every reply, and see what grows.",
            "The node runs as a process of its own, on free ports; the load is a share of the capacity that is measured"
                    + " first."
        })
public final class SoakCommand implements Callable<Integer> {
    @Parameters(paramLabel = "<bundle>", description = "Folder with a bundle.json.")
    private Path folder;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description = "CSV with " + Trace.HEADER + ", as the Azure LLM inference traces."
                    + " Default: a synthetic trace; docs/benchmarks.md states its distributions.")
    private @Nullable Path trace;

    @Option(
            names = "--load",
            paramLabel = "SHARE",
            defaultValue = "0.7",
            description = "Share of the measured capacity. Default: ${DEFAULT-VALUE}.")
    private double load;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "60",
            description = "Length of the timed load. Default: ${DEFAULT-VALUE}.")
    private double minutes;

    @Option(
            names = "--capacity-seconds",
            paramLabel = "N",
            defaultValue = "20",
            description = "How long the capacity is measured, after half as long a warm-up. Default: ${DEFAULT-VALUE}.")
    private int capacitySeconds;

    @Option(
            names = "--clients",
            paramLabel = "N",
            defaultValue = "32",
            description = "Requests that run at a time meanwhile. Default: ${DEFAULT-VALUE}.")
    private int clients;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of a forward pass. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--heap",
            paramLabel = "MB",
            defaultValue = "512",
            description = "Heap of the node, fixed and touched at the start. Default: ${DEFAULT-VALUE}.")
    private int heap;

    @Option(
            names = "--sample-seconds",
            paramLabel = "N",
            defaultValue = "60",
            description = "Time between two samples. Default: ${DEFAULT-VALUE}.")
    private int sampleSeconds;

    @Option(
            names = "--collect",
            paramLabel = "N",
            defaultValue = "2",
            description = "Collect all garbage before every N-th sample; 0 never. Default: ${DEFAULT-VALUE}.")
    private int collectEvery;

    @Option(names = "--samples", paramLabel = "FILE", description = "Write the samples to a CSV file, too.")
    private @Nullable Path csv;

    @Mixin
    private ReportOption output = new ReportOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        SoakReport report =
                SoakBench.run(plan(), output.isJson() ? spec.commandLine().getErr() : out);
        output.print(out, report, report::print);
        return report.passed() ? 0 : 1;
    }

    private SoakPlan plan() {
        try {
            return new SoakPlan(
                    folder,
                    trace,
                    load,
                    minutes,
                    capacitySeconds,
                    clients,
                    threads,
                    heap,
                    sampleSeconds,
                    collectEvery,
                    csv);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
