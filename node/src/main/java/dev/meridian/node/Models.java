package dev.meridian.node;

import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.MemoryPlan;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds bundles and loads them. */
final class Models {
    /** What a model's id may be made of: it stands in URLs, in names of actors and in metrics. */
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._~-]{0,127}");

    private Models() {}

    /** The bundles among the direct children of a folder, by id. Throws CommandFailed where there is no such folder. */
    static List<Bundle> scan(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new CommandFailed(folder + ": no such folder");
        }
        try (Stream<Path> children = Files.list(folder)) {
            List<Path> found = children.filter(child -> Files.isRegularFile(child.resolve(BundleManifest.FILE_NAME)))
                    .sorted()
                    .toList();
            for (Path child : found) {
                if (!ID.matcher(child.getFileName().toString()).matches()) {
                    throw new CommandFailed(
                            child + ": a model's id is its folder's name, of letters, digits and . _ ~ -; rename it");
                }
            }
            return found.stream().map(Bundle::open).toList();
        } catch (IOException e) {
            throw new CommandFailed(folder + ": " + e.getMessage(), e);
        }
    }

    /** One bundle of a folder by its id. */
    static Bundle find(Path folder, String id) {
        List<Bundle> bundles = scan(folder);
        return bundles.stream()
                .filter(bundle -> bundle.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new CommandFailed("no model '" + id + "' in " + folder + "; there is "
                        + bundles.stream().map(Bundle::id).toList()));
    }

    /** Loads all or none. What the weights leave of the memory budget is divided evenly for KV caches. */
    static List<LoadedModel> load(List<Bundle> bundles, ModelSettings settings) {
        long fixed = bundles.stream()
                .mapToLong(bundle -> MemoryPlan.fixedBytes(bundle, settings))
                .sum();
        long share = Math.max(0, settings.memoryBudgetBytes() - fixed) / Math.max(1, bundles.size());
        List<LoadedModel> loaded = new ArrayList<>();
        try {
            for (Bundle bundle : bundles) {
                long budget = MemoryPlan.fixedBytes(bundle, settings) + share;
                loaded.add(LoadedModel.open(bundle, settings.withMemoryBudget(Math.max(1, budget))));
            }
            return loaded;
        } catch (RuntimeException e) {
            loaded.forEach(LoadedModel::close);
            throw e;
        }
    }
}
