package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.meridian.bench.load.ReportOption;
import dev.meridian.engine.ModelSettings.Kernels;
import dev.meridian.engine.bundle.Bundle;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.function.Consumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** What the commands that measure one bundle in this process have in common. */
final class BundleOptions {
    @Parameters(paramLabel = "<bundle>", description = "Folder with a bundle.json.")
    private Path folder;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of a forward pass. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--kernels",
            paramLabel = "auto|off",
            defaultValue = "auto",
            description = "auto: Meridian's own operators where there are such, off: ONNX Runtime's. Default: auto.")
    private String kernels;

    @Mixin
    private ReportOption output = new ReportOption();

    /** Throws BundleException where there is none, or a file is unusable. */
    Bundle open() {
        return Bundle.open(folder);
    }

    /** As given, not checked. */
    int threads() {
        return threads;
    }

    /** Throws ParameterException where there is no such choice. */
    Kernels kernels(CommandSpec spec) {
        try {
            return Kernels.named("--kernels", kernels);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    /** A report as one JSON object or as its table. */
    void print(PrintWriter out, Object report, Consumer<PrintWriter> table) throws JsonProcessingException {
        output.print(out, report, table);
    }
}
