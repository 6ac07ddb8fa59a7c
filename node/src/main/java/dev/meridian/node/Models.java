package dev.meridian.node;

import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.MemoryPlan;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Finds bundles and loads them. */
final class Models {
    /** What a model's id may be made of: it stands in URLs, in names of actors and in metrics. */
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._~-]{0,127}");

    private Models() {}

    /**
     * The bundles among the direct children of a folder, by id; names that begin with a dot are none, for an import that was
     * killed leaves such. Throws CommandFailed where there is no such folder.
     */
    static List<Bundle> scan(Path folder) {
        List<Path> found = folders(folder);
        for (Path child : found) {
            if (!ID.matcher(child.getFileName().toString()).matches()) {
                throw new CommandFailed(
                        child + ": a model's id is its folder's name, of letters, digits and . _ ~ -; rename it");
            }
        }
        List<Bundle> bundles = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        for (Path child : found) {
            try {
                bundles.add(Bundle.open(child));
            } catch (BundleException e) {
                faults.add(e.getMessage());
            }
        }
        if (!faults.isEmpty()) {
            throw damaged(faults);
        }
        return bundles;
    }

    /** All that is wrong at once: who has repaired one bundle wants to be told of the next no second time. */
    private static BundleException damaged(List<String> faults) {
        return new BundleException(String.join("; ", faults)
                + "; nothing is served until this is repaired: import the model again, or move its folder away");
    }

    /** One bundle of a folder by its id. Looks into no other bundle, which may be broken. */
    static Bundle find(Path folder, String id) {
        return folders(folder).stream()
                .filter(child -> child.getFileName().toString().equals(id))
                .findFirst()
                .map(Bundle::open)
                .orElseThrow(() -> new CommandFailed("no model '" + id + "' in " + folder + "; there is "
                        + folders(folder).stream().map(Path::getFileName).toList()));
    }

    private static List<Path> folders(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new CommandFailed(folder + ": no such folder");
        }
        try (Stream<Path> children = Files.list(folder)) {
            return children.filter(child -> !child.getFileName().toString().startsWith("."))
                    .peek(Models::requireOpen)
                    .filter(child -> Files.isRegularFile(child.resolve(BundleManifest.FILE_NAME)))
                    .sorted()
                    .toList();
        } catch (AccessDeniedException e) {
            throw new CommandFailed(folder + ": permission denied", e);
        } catch (IOException e) {
            throw new CommandFailed(folder + ": " + e.getMessage(), e);
        }
    }

    /** Nobody can see whether a folder that is closed holds a bundle; to leave it out would be a silent guess. */
    private static void requireOpen(Path child) {
        if (Files.isDirectory(child) && !(Files.isReadable(child) && Files.isExecutable(child))) {
            throw new CommandFailed(child + ": permission denied");
        }
    }

    /**
     * Whether all could be loaded, as far as their files say. Throws as {@link #load} does, which finds little more to check
     * after it.
     */
    static void check(List<Bundle> bundles, ModelSettings settings, VerifiedFiles verified) {
        requireFit(bundles, settings);
        List<String> faults = new ArrayList<>();
        for (Bundle bundle : bundles) {
            try {
                CheckedBundle.of(bundle, verified);
            } catch (BundleException e) {
                faults.add(e.getMessage());
            }
        }
        if (!faults.isEmpty()) {
            throw damaged(faults);
        }
    }

    /** As {@link #load(List, ModelSettings, VerifiedFiles)}, reading every file. */
    static List<LoadedModel> load(List<Bundle> bundles, ModelSettings settings) {
        return load(bundles, settings, VerifiedFiles.none());
    }

    /**
     * Loads all or none. What the weights leave of the memory budget is divided evenly for KV caches. Throws
     * BundleException naming every bundle that is damaged.
     */
    static List<LoadedModel> load(List<Bundle> bundles, ModelSettings settings, VerifiedFiles verified) {
        long[] fixed = requireFit(bundles, settings);
        long left = settings.memoryBudgetBytes() - LongStream.of(fixed).sum();
        long share = left / Math.max(1, bundles.size());
        List<LoadedModel> loaded = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        try {
            for (int i = 0; i < fixed.length; i++) {
                loadOrCheck(bundles.get(i), settings.withMemoryBudget(fixed[i] + share), verified, loaded, faults);
            }
            if (!faults.isEmpty()) {
                throw damaged(faults);
            }
            return loaded;
        } catch (RuntimeException e) {
            loaded.forEach(LoadedModel::close);
            throw e;
        }
    }

    /** After the first fault nothing will be served, so the others are only checked. */
    private static void loadOrCheck(
            Bundle bundle,
            ModelSettings settings,
            VerifiedFiles verified,
            List<LoadedModel> loaded,
            List<String> faults) {
        try {
            if (faults.isEmpty()) {
                loaded.add(LoadedModel.open(bundle, settings, verified));
            } else {
                CheckedBundle.of(bundle, verified);
            }
        } catch (BundleException e) {
            faults.add(e.getMessage());
        }
    }

    /** What each takes before its first token. */
    private static long[] requireFit(List<Bundle> bundles, ModelSettings settings) {
        long[] fixed = bundles.stream()
                .mapToLong(bundle -> fixedBytes(bundle, settings))
                .toArray();
        if (LongStream.of(fixed).sum() > settings.memoryBudgetBytes()) {
            throw tooLarge(bundles, fixed, settings.memoryBudgetBytes());
        }
        return fixed;
    }

    private static long fixedBytes(Bundle bundle, ModelSettings settings) {
        try {
            return MemoryPlan.fixedBytes(bundle, settings);
        } catch (BundleException e) {
            throw new CommandFailed(bundle.id() + ": " + e.getMessage(), e);
        }
    }

    private static CommandFailed tooLarge(List<Bundle> bundles, long[] fixed, long budget) {
        String needs = IntStream.range(0, fixed.length)
                .mapToObj(i -> bundles.get(i).id() + " " + Bytes.format(fixed[i]))
                .collect(Collectors.joining(", "));
        return new CommandFailed("the models do not fit the memory budget of " + Bytes.format(budget)
                + " even without KV caches: " + needs
                + "; raise meridian.engine.memory-budget or serve fewer models");
    }
}
