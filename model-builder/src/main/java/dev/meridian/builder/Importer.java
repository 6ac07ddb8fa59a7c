package dev.meridian.builder;

import dev.meridian.builder.graph.TokenTables;
import dev.meridian.builder.source.Checkpoint;
import dev.meridian.builder.source.ConfigReader;
import dev.meridian.builder.source.ImportException;
import dev.meridian.builder.source.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns a model folder into a bundle: Hugging Face's weights by building a graph, a ready-made graph by copying it. The
 * same folder gives the same bytes, always. Memory does not grow with the model: tensors pass through buffers of a few
 * megabytes a core. An instance may be used by any thread; one import blocks its caller and works on all cores.
 */
public final class Importer {
    private static final List<String> COPIED = List.of(
            SourceFacts.TOKENIZER,
            SourceFacts.TOKENIZER_CONFIG,
            "special_tokens_map.json",
            SourceFacts.GENERATION_CONFIG,
            SourceFacts.CHAT_TEMPLATE);

    private final TemplateCheck templateCheck;

    /** An importer that refuses chat templates which do not compile. */
    public Importer() {
        this(TemplateCheck.compiling());
    }

    /**
     * An importer that asks about templates first.
     *
     * @param templateCheck asked before anything is written, where the model has a chat template
     */
    public Importer(TemplateCheck templateCheck) {
        this.templateCheck = templateCheck;
    }

    /**
     * Imports a model; when this returns, the bundle is whole and on disk, and when it throws, nothing is left.
     * Interrupting the thread, or ending the JVM, ends the import the same way.
     *
     * @throws ImportException where the model cannot be imported, or the disk does not allow it
     */
    public void run(ImportRequest request, ProgressListener listener) throws ImportException {
        IoFailures.named(request.out(), () -> importing(request, listener));
    }

    /** Whether a ready-made graph is meant, which is copied as it is: the request's weights do not apply. */
    public static boolean isReadyMade(ImportRequest request) throws ImportException {
        try {
            return GraphChoice.isMeant(request);
        } catch (IOException e) {
            throw new ImportException(request.source() + ": " + e.getMessage(), e);
        }
    }

    private void importing(ImportRequest request, ProgressListener listener) throws ImportException, IOException {
        Path source = request.source();
        if (!Files.isDirectory(source)) {
            throw new ImportException(source + ": no such folder");
        }
        if (isReadyMade(request)) {
            new GraphImporter(request, templateCheck, listener).run();
            return;
        }
        ModelConfig config = ConfigReader.read(source.resolve("config.json"));
        SourceFacts facts = SourceFacts.read(source, config.vocabSize());
        if (facts.template().isPresent()) {
            var template = facts.template().get();
            templateCheck.check(template.origin(), template.text());
        }
        try (Checkpoint checkpoint = Checkpoint.open(source);
                StagedFolder folder = StagedFolder.create(request.out())) {
            TokenTables tables = tables(config, checkpoint);
            var writer = new BundleWriter(config, request.weights(), request.kv(), tables, listener);
            var encoder = new CheckpointEncoder(checkpoint);
            encoder.check(writer.plan().matrices());
            writer.requireSpace(folder.path());
            writer.writeModel(folder.path(), encoder);
            List<Path> used = copySmallFiles(source, folder.path());
            used.add(source.resolve("config.json"));
            used.addAll(checkpoint.paths());
            used.sort(null);
            String digest = Digests.combined(Digests.of(used, ProgressListener.Phase.SOURCE_DIGEST, listener));
            writer.writeManifest(folder.path(), facts, License.of(source), digest);
            folder.commit();
        }
    }

    /** A file without a head has a tied one, whatever config.json says; a tied one may be stored under either name. */
    static TokenTables tables(ModelConfig config, Checkpoint checkpoint) {
        TokenTables separate = TokenTables.separate();
        boolean hasEmbedding = checkpoint.has(separate.embedding() + ".weight");
        boolean hasHead = checkpoint.has(separate.head() + ".weight");
        return config.tied() || !hasHead ? TokenTables.tied(hasHead && !hasEmbedding) : separate;
    }

    static List<Path> copySmallFiles(Path source, Path folder) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String name : COPIED) {
            if (Files.isRegularFile(source.resolve(name))) {
                files.add(source.resolve(name));
            }
        }
        files.addAll(License.files(source));
        for (Path file : files) {
            IoFailures.write(folder.resolve(file.getFileName().toString()), Files.readAllBytes(file));
        }
        return files;
    }
}
