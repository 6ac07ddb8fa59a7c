package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.meridian.bench.load.ReportOption;
import dev.meridian.engine.bundle.Bundle;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.function.Consumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
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

    /** A report as one JSON object or as its table. */
    void print(PrintWriter out, Object report, Consumer<PrintWriter> table) throws JsonProcessingException {
        output.print(out, report, table);
    }
}
