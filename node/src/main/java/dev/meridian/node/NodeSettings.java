package dev.meridian.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigValue;
import dev.meridian.actors.HostSettings;
import dev.meridian.edge.EdgeSettings;
import dev.meridian.engine.BundleSettings;
import dev.meridian.engine.ModelSettings;
import dev.meridian.placement.PlacementSettings;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a node is configured with, read once at start; {@code meridian.node} is the node's own part.
 *
 * @param said what the user's file holds of it
 * @param root the whole configuration, for the actor system
 * @param modelsAtATime as many models share the memory budget; 0 for all
 * @param stopDelay how long a node that is told to stop still takes requests
 * @param stopGrace how long running streams may take to end after that
 */
record NodeSettings(
        Config said,
        Config root,
        EdgeSettings edge,
        HostSettings host,
        ModelSettings models,
        BundleSettings bundles,
        PlacementSettings placement,
        ClusterSettings cluster,
        ResidencySettings residency,
        int modelsAtATime,
        Duration stopDelay,
        Duration stopGrace) {
    /** Its keys are Pekko's. */
    private static final String PREPARE_DISPATCHER = "meridian.host.prepare-dispatcher.";

    NodeSettings {
        if (modelsAtATime < 0) {
            throw new IllegalArgumentException(
                    "meridian.node.models-at-a-time " + modelsAtATime + ": expected at least 0");
        }
        if (stopDelay.isNegative() || stopGrace.isNegative()) {
            throw new IllegalArgumentException("meridian.node.stop-delay and stop-grace are at least 0");
        }
    }

    /** Whether the user's file has that key. */
    boolean says(String key) {
        return said.hasPath(key);
    }

    /**
     * The configuration of an actor system that is a member of a cluster: what a user said is stronger than what we set, but
     * for who can reach it in clear.
     */
    Config clusterRoot() {
        return cluster.transport()
                .withFallback(said)
                .withFallback(cluster.pekko())
                .withFallback(ConfigFactory.parseResources("meridian-cluster.conf"))
                .withFallback(root)
                .resolve();
    }

    /**
     * Reads the configuration.
     *
     * @param file the user's file, null where there is none
     * @param overrides what the command line says by key, stronger than the file
     * @throws CommandFailed naming the key, and the file and line where it has one
     */
    static NodeSettings load(@Nullable Path file, Map<String, ?> overrides) {
        try {
            return read(file, overrides);
        } catch (ConfigException.IO e) {
            throw new CommandFailed(file + ": " + (file == null ? e.getMessage() : unreadable(file, e)), e);
        } catch (ConfigException | IllegalArgumentException | ArithmeticException e) {
            throw new CommandFailed("configuration: " + e.getMessage(), e);
        }
    }

    static String unreadable(Path file, ConfigException failure) {
        if (Files.notExists(file)) {
            return "no such file";
        }
        if (Files.isDirectory(file)) {
            return "a folder, not a file";
        }
        return Files.isReadable(file) ? "cannot be read: " + failure.getMessage() : "permission denied";
    }

    private static NodeSettings read(@Nullable Path file, Map<String, ?> overrides) {
        Config said = file == null
                ? ConfigFactory.empty()
                : ConfigFactory.parseFile(
                        file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false));
        requireKnownKeys(said);
        Config root = ConfigFactory.parseMap(overrides, "command line")
                .withFallback(said)
                .withFallback(ConfigFactory.parseResources("meridian.conf"))
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
        return new NodeSettings(
                said,
                root,
                EdgeSettings.of(root),
                HostSettings.from(root),
                ModelSettings.from(
                        root, machineMemoryBytes(), Runtime.getRuntime().availableProcessors()),
                BundleSettings.from(
                        root, Path.of(System.getProperty("meridian.home", ""), ".meridian", "verified-files")),
                PlacementSettings.from(root),
                ClusterSettings.from(root),
                ResidencySettings.from(root),
                root.getInt("meridian.node.models-at-a-time"),
                root.getDuration("meridian.node.stop-delay"),
                root.getDuration("meridian.node.stop-grace"));
    }

    /** A key that nobody reads is a typing error that would change nothing, silently. */
    private static void requireKnownKeys(Config said) {
        Config reference = ConfigFactory.defaultReference();
        for (Map.Entry<String, ConfigValue> entry : said.entrySet()) {
            String key = entry.getKey();
            boolean ours = key.startsWith("meridian.")
                    && !key.startsWith(PREPARE_DISPATCHER)
                    && !key.startsWith(ResidencySettings.FREE_KEYS)
                    && !key.startsWith(PlacementSettings.FREE_KEYS);
            if (ours && !reference.hasPathOrNull(key)) {
                throw new ConfigException.BadPath(entry.getValue().origin(), key, "there is no such key");
            }
        }
    }

    /** Memory of the machine, or of the container that the JVM runs in. */
    private static long machineMemoryBytes() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getTotalMemorySize();
    }
}
