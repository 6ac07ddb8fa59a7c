package dev.meridian.bench.prediction;

import dev.meridian.bench.load.ReportOption;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench prediction}: one scenario, simulated and run. */
@Command(
        name = "prediction",
        description = {
            "How well the placement simulator predicts a cluster: two regions of two nodes with six scripted models, and the same",
            "requests for both. Nodes are processes of their own on this machine; no model is needed."
        })
public final class PredictionCommand implements Callable<Integer> {
    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "300",
            description = "For how long requests come. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Mixin
    private ReportOption output = new ReportOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (seconds < 1) {
            throw new ParameterException(spec.commandLine(), "--seconds: expected at least 1");
        }
        PredictionReport report = PredictionBench.run(new PredictionPlan(Duration.ofSeconds(seconds), seed));
        output.print(spec.commandLine().getOut(), report, report::print);
        return 0;
    }
}
