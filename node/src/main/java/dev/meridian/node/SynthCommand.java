package dev.meridian.node;

import dev.meridian.builder.Synthesizer;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a bundle of a given shape that says nothing sensible. */
@Command(name = "synth", description = "Make a bundle of a config.json's shape with random weights, for benchmarks.")
final class SynthCommand implements Callable<Integer> {
    @Parameters(paramLabel = "<config.json>", description = "Hugging Face's configuration of the model.")
    private Path config;

    @Option(
            names = "--out",
            paramLabel = "DIR/NAME",
            required = true,
            description = "The bundle's folder, which must not exist. NAME becomes the model's id.")
    private Path out;

    @Option(
            names = "--weights",
            paramLabel = "TYPE",
            defaultValue = "int8",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Weights weights;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The same seed gives the same bytes. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws ImportException {
        try (ProgressBar bar = ProgressBar.on(spec.commandLine().getErr())) {
            new Synthesizer().run(config, out, weights, seed, ImportCommand.progress(bar));
        }
        PrintWriter console = spec.commandLine().getOut();
        console.println(out + " is ready: './meridian bench engine " + out + "' measures it.");
        console.flush();
        return 0;
    }
}
