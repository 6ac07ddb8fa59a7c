package dev.meridian.bench;

import dev.meridian.bench.http.ClusterCommand;
import dev.meridian.bench.http.HttpCommand;
import dev.meridian.bench.prediction.PredictionCommand;
import dev.meridian.bench.soak.SoakCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The measurements that a user can repeat. */
@Command(
        name = "bench",
        description = "Measure this machine.",
        subcommands = {
            EngineBenchCommand.class,
            InterferenceCommand.class,
            CyclesCommand.class,
            HttpCommand.class,
            ClusterCommand.class,
            SoakCommand.class,
            PlanCommand.class,
            PredictionCommand.class
        })
public final class BenchCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }
}
