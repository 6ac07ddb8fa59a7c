package dev.meridian.engine.bundle;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A bundle that passed every check: what native code may be given. Files can still be exchanged after the check; whoever
 * loads them asks {@link #requireUnchanged} once all are open. Immutable, safe for any thread.
 */
public final class CheckedBundle {
    private final Bundle bundle;
    private final Map<String, FileStamp> stamps;
    private final Optional<byte[]> graph;

    private CheckedBundle(Bundle bundle, Map<String, FileStamp> stamps, Optional<byte[]> graph) {
        this.bundle = bundle;
        this.stamps = stamps;
        this.graph = graph;
    }

    /**
     * Checks a bundle. Blocks while it reads what {@code verified} does not know.
     *
     * @throws BundleException with every fault
     */
    public static CheckedBundle of(Bundle bundle, VerifiedFiles verified) {
        BundleCheck check = BundleCheck.run(bundle, verified);
        if (!check.faults().isEmpty()) {
            throw new BundleException(bundle.folder() + ": "
                    + check.faults().stream().map(BundleCheck.Fault::toString).collect(Collectors.joining("; ")));
        }
        return new CheckedBundle(bundle, Map.copyOf(check.stamps()), Optional.ofNullable(check.graphBytes()));
    }

    public Bundle bundle() {
        return bundle;
    }

    public BundleManifest manifest() {
        return bundle.manifest();
    }

    /** The bytes of the graph that were checked, not to be changed; empty where the file is too large to be held. */
    public Optional<byte[]> graph() {
        return graph;
    }

    /** Throws {@link BundleException} where a file is not the one that was checked. */
    public void requireUnchanged() {
        List<String> changed = stamps.entrySet().stream()
                .filter(entry -> !isUnchanged(bundle.file(entry.getKey()), entry.getValue()))
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
        if (!changed.isEmpty()) {
            throw new BundleException(bundle.folder() + ": changed while it was loaded: " + changed);
        }
    }

    private static boolean isUnchanged(Path file, FileStamp stamp) {
        try {
            return FileStamp.of(file).equals(stamp);
        } catch (IOException _) {
            // Gone is changed, too.
            return false;
        }
    }
}
