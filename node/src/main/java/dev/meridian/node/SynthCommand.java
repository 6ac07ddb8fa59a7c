package dev.meridian.node;

import dev.meridian.builder.Synthesizer;
import dev.meridian.builder.source.ImportException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a bundle of a given shape that says nothing sensible. */
@Command(name = "synth", description = "Make a bundle of a config.json's shape with random weights, for benchmarks.")
final class SynthCommand implements Callable<Integer> {
    @Parameters(paramLabel = "<config.json>", description = "Hugging Face's configuration of the model.")
    private Path config;

    @Mixin
    private BundleOptions bundle = new BundleOptions();

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
            new Synthesizer().run(config, bundle.out, bundle.weights, seed, ImportCommand.progress(bar, ""));
        }
        PrintWriter console = spec.commandLine().getOut();
        console.println(bundle.out + " is ready: './meridian bench engine " + bundle.out + "' measures it.");
        console.flush();
        return 0;
    }
}
