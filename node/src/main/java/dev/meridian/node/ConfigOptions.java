package dev.meridian.node;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of the commands that run models. */
final class ConfigOptions {
    @Option(
            names = "--models",
            paramLabel = "DIR",
            description = "Folder whose direct children are bundles. Default: models/ of the checkout.")
    private @Nullable Path models;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Configuration in HOCON; docs/configuration.md lists the keys.")
    @Nullable
    Path config;

    /** The launcher names the checkout; without it the working directory is it. */
    Path models() {
        return models != null ? models : Path.of(System.getProperty("meridian.home", ""), "models");
    }
}
