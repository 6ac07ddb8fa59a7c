package dev.meridian.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.engine.bundle.Bundle;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.function.Consumer;
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

    @Option(names = "--json", description = "Print one JSON object; docs/benchmarks.md says what is in it.")
    private boolean json;

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
        if (json) {
            out.println(JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .build()
                    .writeValueAsString(report));
        } else {
            table.accept(out);
        }
        out.flush();
    }
}
