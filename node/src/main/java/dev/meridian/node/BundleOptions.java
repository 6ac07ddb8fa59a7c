package dev.meridian.node;

import dev.meridian.builder.quant.Weights;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options of the commands that make a bundle. */
final class BundleOptions {
    @Option(
            names = "--out",
            paramLabel = "DIR/NAME",
            required = true,
            description = "The bundle's folder, which must not exist. NAME becomes the model's id.")
    Path out;

    @Option(
            names = "--weights",
            paramLabel = "TYPE",
            defaultValue = "int8",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    Weights weights;
}
