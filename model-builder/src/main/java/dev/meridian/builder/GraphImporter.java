package dev.meridian.builder;

import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.GraphCheck;
import dev.meridian.engine.bundle.OnnxFile;
import dev.meridian.engine.bundle.OnnxFile.Attribute;
import dev.meridian.engine.bundle.OnnxFile.Data;
import dev.meridian.engine.bundle.OnnxFile.Graph;
import dev.meridian.engine.bundle.OnnxFile.Initializer;
import dev.meridian.engine.bundle.VerifiedFiles;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Imports a ready-made decoder: checks its graph and data, copies them as they are, describes them in bundle.json. */
final class GraphImporter {
    private static final long COPY_BYTES = 1L << 24;
    private static final long SPARE_BYTES = 64L << 20;

    private final ImportRequest request;
    private final TemplateCheck templateCheck;
    private final ProgressListener listener;

    GraphImporter(ImportRequest request, TemplateCheck templateCheck, ProgressListener listener) {
        this.request = request;
        this.templateCheck = templateCheck;
        this.listener = listener;
    }

    void run() throws ImportException, IOException {
        GraphSource source = GraphSource.read(request);
        Path file = source.graphFile();
        refuseLink(file);
        OnnxFile model;
        try {
            model = OnnxFile.map(file);
        } catch (BundleException e) {
            throw new ImportException(String.valueOf(e.getMessage()), e);
        }
        List<Path> data = dataFiles(file, model);
        GraphReader graph = new GraphReader(source, model);
        ModelShape shape = graph.shape();
        SourceFacts facts = SourceFacts.read(request.source(), source.tokens(), source.sampling(), shape.vocabSize());
        if (facts.template().isPresent()) {
            templateCheck.check(
                    facts.template().get().origin(), facts.template().get().text());
        }
        try (StagedFolder folder = StagedFolder.create(request.out())) {
            List<Path> used = Importer.copySmallFiles(request.source(), folder.path());
            copyGraph(file, data, folder.path());
            used.add(source.configFile());
            used.add(file);
            used.addAll(data);
            used.sort(null);
            String digest = Digests.combined(Digests.of(used, ProgressListener.Phase.SOURCE_DIGEST, listener));
            BundleManifest manifest = new BundleManifest(
                    BundleManifest.FORMAT,
                    facts.name(),
                    source.family(),
                    shape,
                    graph.weights(),
                    graph.kv(),
                    graph.memory(shape),
                    facts.bosTokenId(),
                    facts.eosTokenIds(),
                    facts.defaults(),
                    License.of(request.source()),
                    digest,
                    BundleWriter.files(folder.path(), listener),
                    graph.layout(),
                    null);
            IoFailures.write(folder.path().resolve(BundleManifest.FILE_NAME), Bundle.manifestBytes(manifest));
            requireSound(file, folder.path());
            folder.commit();
        }
    }

    /** What loading would refuse is refused here, under the source's name. */
    private static void requireSound(Path file, Path bundle) throws ImportException {
        try {
            CheckedBundle.of(Bundle.open(bundle), VerifiedFiles.none());
        } catch (BundleException e) {
            String message = String.valueOf(e.getMessage());
            throw new ImportException(file + message.replace(bundle.toString(), ""), e);
        }
    }

    /** The files beside the graph that constants lie in. Refuses a graph that fails a check. */
    private static List<Path> dataFiles(Path file, OnnxFile model) throws ImportException, IOException {
        Set<String> locations = new TreeSet<>();
        addLocations(model.graph(), locations);
        Map<String, Long> there = new HashMap<>();
        List<Path> files = new ArrayList<>();
        for (String location : locations) {
            Path data = file.resolveSibling(location).normalize();
            refuseLink(data);
            boolean beside = file.getParent() == null || file.getParent().equals(data.getParent());
            if (beside && Files.isRegularFile(data, LinkOption.NOFOLLOW_LINKS)) {
                there.put(location, Files.size(data));
                files.add(data);
            }
        }
        List<String> faults = GraphCheck.faults(model, there);
        if (!faults.isEmpty()) {
            throw new ImportException(file + ": " + String.join("; ", faults));
        }
        return files;
    }

    /** A link's target can be anything, and change; a download cache is full of links. */
    private static void refuseLink(Path file) throws ImportException {
        if (Files.isSymbolicLink(file)) {
            throw new ImportException(file + ": a symbolic link; put the file itself there, for example with cp -rL");
        }
    }

    private static void addLocations(Graph graph, Set<String> into) {
        graph.initializers().forEach(constant -> addLocation(constant, into));
        graph.nodes()
                .forEach(node -> node.attributes().values().forEach(attribute -> {
                    switch (attribute) {
                        case Attribute.Tensor(Initializer constant) -> addLocation(constant, into);
                        case Attribute.Subgraph(Graph inner) -> addLocations(inner, into);
                        case Attribute.Int _, Attribute.Decimal _, Attribute.Text _ -> {}
                        case Attribute.Ints _, Attribute.Decimals _, Attribute.Texts _ -> {}
                    }
                }));
    }

    private static void addLocation(Initializer constant, Set<String> into) {
        if (constant.data() instanceof Data.External external) {
            into.add(external.location());
        }
    }

    /** Data keep the names that the graph knows them by. */
    private void copyGraph(Path file, List<Path> data, Path folder) throws ImportException, IOException {
        Map<Path, Path> copies = new HashMap<>();
        for (Path path : data) {
            copies.put(path, folder.resolve(path.getFileName().toString()));
        }
        copies.put(file, folder.resolve(BundleManifest.MODEL_FILE));
        long total = 0;
        for (Path path : copies.keySet()) {
            total += Files.size(path);
        }
        long usable = Files.getFileStore(folder).getUsableSpace();
        if (usable < total + SPARE_BYTES) {
            throw new ImportException(
                    request.out() + ": " + usable + " bytes are free, the bundle takes " + (total + SPARE_BYTES));
        }
        long done = 0;
        for (Map.Entry<Path, Path> copy : copies.entrySet()) {
            done = copy(copy.getKey(), copy.getValue(), done, total);
        }
    }

    private static long transferred(FileChannel in, long at, long count, FileChannel out, Path to) throws IOException {
        try {
            return in.transferTo(at, count, out);
        } catch (IOException e) {
            throw IoFailures.at(to, e);
        }
    }

    private long copy(Path from, Path to, long doneBefore, long total) throws ImportException, IOException {
        long done = doneBefore;
        if (Files.exists(to) || to.endsWith(BundleManifest.FILE_NAME)) {
            throw new ImportException(from + ": its name is that of another file of a bundle");
        }
        try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
                FileChannel out = FileChannel.open(to, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
            long bytes = in.size();
            for (long at = 0; at < bytes; ) {
                long copied = transferred(in, at, Math.min(COPY_BYTES, bytes - at), out, to);
                if (copied <= 0) {
                    throw new IOException(from + ": became shorter while it was copied");
                }
                at += copied;
                done += copied;
                listener.progress(ProgressListener.Phase.WEIGHTS, done, Math.max(total, done));
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("import interrupted");
                }
            }
        }
        return done;
    }
}
