package dev.meridian.engine;

import com.typesafe.config.Config;
import dev.meridian.engine.bundle.VerifiedFiles;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;

/**
 * How bundles are verified before they are loaded: {@code meridian.engine.verify} and {@code verified-files}; see
 * reference.conf.
 *
 * @param record where verified files are remembered; empty where every file is read each time
 */
public record BundleSettings(Optional<Path> record) {
    /**
     * Reads the whole configuration's {@code meridian.engine}. Throws IllegalArgumentException for an unknown word.
     *
     * @param standard what {@code auto} stands for
     */
    public static BundleSettings from(Config config, Path standard) {
        Config engine = config.getConfig("meridian.engine");
        String verify = engine.getString("verify");
        String file = engine.getString("verified-files");
        return switch (verify) {
            case "always" -> new BundleSettings(Optional.empty());
            case "changed" -> new BundleSettings(Optional.of(file.equals("auto") ? standard : Path.of(file)));
            default ->
                throw new IllegalArgumentException(
                        "meridian.engine.verify is '" + verify + "', expected changed or always");
        };
    }

    /** Reads the record, if there is to be one. */
    public VerifiedFiles open() {
        return record.map(file -> VerifiedFiles.at(file, Clock.systemUTC())).orElseGet(VerifiedFiles::none);
    }
}
