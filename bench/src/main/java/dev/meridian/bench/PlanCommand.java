package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.meridian.bench.load.ReportOption;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bench plan}: how long a placement policy takes to decide. */
@Command(name = "plan", description = "Time one plan of each placement policy, for a cluster that is made up.")
final class PlanCommand implements Callable<Integer> {
    @Option(names = "--nodes", paramLabel = "N", defaultValue = "1000", description = "Default: ${DEFAULT-VALUE}.")
    private int nodes;

    @Option(names = "--models", paramLabel = "N", defaultValue = "10000", description = "Default: ${DEFAULT-VALUE}.")
    private int models;

    @Option(names = "--regions", paramLabel = "N", defaultValue = "20", description = "Default: ${DEFAULT-VALUE}.")
    private int regions;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "15",
            description = "Calls that count, after the first and as many that warm up. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Mixin
    private ReportOption output = new ReportOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws JsonProcessingException {
        if (regions < 1 || nodes < regions || models < 1 || rounds < 1) {
            throw new ParameterException(
                    spec.commandLine(), "expected at least one region, model and round, and as many nodes as regions");
        }
        PlanReport report = PlanBench.run(new PlanPicture(nodes, models, regions), rounds);
        output.print(spec.commandLine().getOut(), report, report::print);
        return 0;
    }
}
