package dev.meridian.engine.bundle;

import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Every check of a bundle that can be made without running it: the files are exactly those of the manifest, plain, unshared
 * and unchanged, and the graph is one that native code may be given. Used once, by one thread.
 */
final class BundleCheck {
    /** A graph up to this size is held in memory, so that what was checked is what runs. */
    private static final int MAX_HELD_BYTES = 64 << 20;

    private static final int MAX_ENTRIES = 1000;

    private final Bundle bundle;
    private final VerifiedFiles verified;
    private final List<Fault> faults = new ArrayList<>();
    private final Map<String, FileStamp> stamps = new LinkedHashMap<>();
    private final Map<String, byte[]> graphs = new HashMap<>();
    private List<PackedMatrix> packed = List.of();

    private BundleCheck(Bundle bundle, VerifiedFiles verified) {
        this.bundle = bundle;
        this.verified = verified;
    }

    static BundleCheck run(Bundle bundle, VerifiedFiles verified) {
        BundleCheck check = new BundleCheck(bundle, verified);
        check.folder();
        check.bundle.manifest().files().forEach(check::file);
        // A file with a fault is not what its author wrote: nothing that it says is worth telling.
        if (check.faults.isEmpty()) {
            check.allGraphs();
        }
        verified.save();
        return check;
    }

    List<Fault> faults() {
        return faults;
    }

    /** Of the manifest and of all files that it names, as far as they are there. */
    Map<String, FileStamp> stamps() {
        return stamps;
    }

    /** The graphs' bytes by file name, of those that are held. */
    Map<String, byte[]> graphs() {
        return Map.copyOf(graphs);
    }

    List<PackedMatrix> packed() {
        return packed;
    }

    private void fault(String file, String what) {
        faults.add(new Fault(file, what));
    }

    /** What lies in the folder besides the manifest's files would be read by some loader, unchecked. */
    private void folder() {
        Map<String, BundleFile> files = bundle.manifest().files();
        if (!files.containsKey(BundleManifest.MODEL_FILE)) {
            fault(BundleManifest.MODEL_FILE, "not in the manifest");
        }
        if (files.containsKey(BundleManifest.KERNELS_FILE) != (bundle.manifest().packing() != null)) {
            fault(BundleManifest.KERNELS_FILE, "the manifest's packing and this file are not there together");
        }
        int entries = 0;
        try (DirectoryStream<Path> children = Files.newDirectoryStream(bundle.folder())) {
            for (Path child : children) {
                String name = child.getFileName().toString();
                if (++entries > MAX_ENTRIES) {
                    fault(BundleManifest.FILE_NAME, "the folder has more than " + MAX_ENTRIES + " files");
                    return;
                }
                boolean expected = name.equals(BundleManifest.FILE_NAME) || files.containsKey(name);
                // Desktops and version control leave files that begin with a dot; no loader reads such.
                if (!expected && !name.startsWith(".")) {
                    fault(FileNames.shown(name), "not in the manifest; remove it");
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            fault(BundleManifest.FILE_NAME, "the folder cannot be read: " + e.getMessage());
        }
        try {
            stamp(BundleManifest.FILE_NAME);
        } catch (IOException e) {
            fault(BundleManifest.FILE_NAME, String.valueOf(e.getMessage()));
        }
    }

    /** Null, and a fault, where a file is not a plain one. */
    private @Nullable FileStamp stamp(String name) throws IOException {
        Path file = bundle.file(name);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            fault(name, "missing");
            return null;
        }
        FileStamp stamp = FileStamp.of(file);
        stamps.put(name, stamp);
        if (!stamp.regular()) {
            fault(name, Files.isSymbolicLink(file) ? "a symbolic link; put the file itself there" : "no regular file");
            return null;
        }
        if (stamp.links() > 1) {
            fault(name, "has " + stamp.links() + " names (hard links), so it can change from elsewhere; copy it");
            return null;
        }
        return stamp;
    }

    private void file(String name, BundleFile expected) {
        try {
            FileStamp stamp = stamp(name);
            if (stamp == null) {
                return;
            }
            if (stamp.bytes() != expected.bytes()) {
                fault(name, stamp.bytes() + " bytes, expected " + expected.bytes());
            } else if (!digest(name, stamp).equals(expected.sha256())) {
                fault(name, "SHA-256 differs");
            }
        } catch (AccessDeniedException _) {
            fault(name, "permission denied");
        } catch (IOException e) {
            fault(name, String.valueOf(e.getMessage()));
        }
    }

    /** The graph's is always taken, of the very bytes that will run. */
    private String digest(String name, FileStamp stamp) throws IOException {
        if (!isGraph(name) || stamp.bytes() > MAX_HELD_BYTES) {
            return verified.sha256(bundle.file(name), stamp);
        }
        byte[] bytes = new byte[(int) stamp.bytes()];
        ByteBuffer into = ByteBuffer.wrap(bytes);
        try (FileChannel in = FileChannel.open(bundle.file(name), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            while (into.hasRemaining() && in.read(into) >= 0) {}
        }
        graphs.put(name, bytes);
        return HexFormat.of().formatHex(Bundle.newSha256().digest(bytes));
    }

    private static boolean isGraph(String name) {
        return name.equals(BundleManifest.MODEL_FILE) || name.equals(BundleManifest.KERNELS_FILE);
    }

    private void allGraphs() {
        Optional<OnnxFile> model = graph(BundleManifest.MODEL_FILE);
        if (bundle.manifest().packing() == null || model.isEmpty()) {
            return;
        }
        Optional<OnnxFile> kernels = graph(BundleManifest.KERNELS_FILE);
        if (kernels.isPresent()) {
            try {
                packed = PackedMatrices.of(model.get(), kernels.get());
            } catch (BundleException e) {
                fault(BundleManifest.MODEL_FILE, String.valueOf(e.getMessage()));
            }
        }
    }

    /** Empty, and a fault, where a graph is not one to be loaded. */
    private Optional<OnnxFile> graph(String name) {
        BundleManifest manifest = bundle.manifest();
        Map<String, Long> files = manifest.files().entrySet().stream()
                .filter(entry -> !isGraph(entry.getKey()))
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().bytes()));
        try {
            byte[] held = graphs.get(name);
            OnnxFile model = held == null ? OnnxFile.map(bundle.file(name)) : OnnxFile.of(name, ByteBuffer.wrap(held));
            List<String> found = GraphCheck.faults(model, files);
            if (found.isEmpty()) {
                found = layoutFaults(name, model, manifest);
            }
            found.forEach(what -> fault(name, what));
            return found.isEmpty() ? Optional.of(model) : Optional.empty();
        } catch (BundleException e) {
            String message = String.valueOf(e.getMessage());
            fault(name, message.substring(message.indexOf(": ") + 2));
            return Optional.empty();
        }
    }

    private static List<String> layoutFaults(String name, OnnxFile model, BundleManifest manifest) {
        return manifest.graph() == null
                ? DecoderCheck.faults(model, manifest, name.equals(BundleManifest.KERNELS_FILE))
                : PastPresentCheck.faults(model, manifest, manifest.graph());
    }

    /** What is wrong with one of a bundle's files. */
    record Fault(String file, String what) {
        @Override
        public String toString() {
            return file + ": " + what;
        }
    }
}
