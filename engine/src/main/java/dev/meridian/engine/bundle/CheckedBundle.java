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
    private final Map<String, byte[]> graphs;
    private final List<PackedMatrix> packed;

    private CheckedBundle(
            Bundle bundle, Map<String, FileStamp> stamps, Map<String, byte[]> graphs, List<PackedMatrix> packed) {
        this.bundle = bundle;
        this.stamps = stamps;
        this.graphs = graphs;
        this.packed = packed;
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
        return new CheckedBundle(bundle, Map.copyOf(check.stamps()), check.graphs(), check.packed());
    }

    public Bundle bundle() {
        return bundle;
    }

    public BundleManifest manifest() {
        return bundle.manifest();
    }

    /** The bytes of the graph that were checked, not to be changed; empty where the file is too large to be held. */
    public Optional<byte[]> graph(String file) {
        return Optional.ofNullable(graphs.get(file));
    }

    /** The packed weights that {@value BundleManifest#MODEL_FILE} takes unpacked; none where the bundle is not packed. */
    public List<PackedMatrix> packed() {
        return packed;
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
