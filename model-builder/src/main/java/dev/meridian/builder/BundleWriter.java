package dev.meridian.builder;

import dev.meridian.builder.graph.DecoderGraph;
import dev.meridian.builder.graph.DecoderPlan;
import dev.meridian.builder.graph.TokenTables;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.builder.source.ModelConfig;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.Panels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The part that importing and synthesising share: model files, digests, manifest. */
final class BundleWriter {
    /** Room beside the weights for the tokenizer, the graph and the file system's own records. */
    private static final long SPARE_BYTES = 64L << 20;
    /** Tokens of one prefill chunk and rows of one decode batch that the memory estimate assumes. */
    private static final int CHUNK_TOKENS = 128;

    private static final int BATCH_ROWS = 16;
    private static final int ATTENTION_TOKENS = 4096;

    private final ModelConfig config;
    private final Weights weights;
    private final KvType kv;
    private final DecoderPlan plan;
    private final ProgressListener listener;

    BundleWriter(ModelConfig config, Weights weights, KvType kv, TokenTables tables, ProgressListener listener) {
        this(config, weights, kv, DecoderGraph.plan(config, weights, tables, BundleManifest.WEIGHTS_FILE), listener);
    }

    BundleWriter(ModelConfig config, Weights weights, KvType kv, DecoderPlan plan, ProgressListener listener) {
        this.config = config;
        this.weights = weights;
        this.kv = kv;
        this.plan = plan;
        this.listener = listener;
    }

    DecoderPlan plan() {
        return plan;
    }

    /** Refuses to start where the disk has less room than the bundle takes. */
    void requireSpace(Path folder) throws ImportException, IOException {
        long needed = plan.dataBytes() + plan.modelFile().size() + SPARE_BYTES;
        long usable = Files.getFileStore(folder).getUsableSpace();
        if (usable < needed) {
            throw new ImportException(
                    folder.getParent() + ": " + usable + " bytes are free, the bundle takes " + needed);
        }
    }

    void writeModel(Path folder, WeightEncoder encoder) throws ImportException, IOException {
        WeightFile.write(folder.resolve(BundleManifest.WEIGHTS_FILE), plan, weights, encoder, listener);
        IoFailures.write(
                folder.resolve(BundleManifest.MODEL_FILE), plan.modelFile().toByteArray());
        if (plan.kernelsFile().isPresent()) {
            IoFailures.write(
                    folder.resolve(BundleManifest.KERNELS_FILE),
                    plan.kernelsFile().get().toByteArray());
        }
    }

    /** Describes all that lies in the folder so far in bundle.json. */
    void writeManifest(Path folder, SourceFacts facts, String license, String sourceDigest) throws IOException {
        boolean packed = plan.kernelsFile().isPresent();
        BundleManifest manifest = new BundleManifest(
                BundleManifest.FORMAT,
                facts.name(),
                config.family().label(),
                shape(),
                weights.label(),
                kv.label(),
                memory(),
                facts.bosTokenId(),
                facts.eosTokenIds(),
                facts.defaults(),
                license,
                sourceDigest,
                files(folder, listener),
                null,
                packed ? Panels.NAME : null);
        IoFailures.write(folder.resolve(BundleManifest.FILE_NAME), Bundle.manifestBytes(manifest));
    }

    private ModelShape shape() {
        return new ModelShape(
                config.layers(),
                config.hiddenSize(),
                config.intermediateSize(),
                config.heads(),
                config.kvHeads(),
                config.headDim(),
                config.vocabSize(),
                config.contextTokens());
    }

    private MemoryNeed memory() {
        long kvBytes = 2L * config.layers() * config.kvWidth() * Float.BYTES;
        long row = 6L * config.hiddenSize()
                + 4L * config.intermediateSize()
                + 2L * (config.queryWidth() + 2L * config.kvWidth())
                + (long) config.heads() * Math.min(config.contextTokens(), ATTENTION_TOKENS);
        long scratch = (CHUNK_TOKENS * row + (long) BATCH_ROWS * config.vocabSize()) * Float.BYTES;
        @Nullable Long mapped = plan.kernelsFile().isPresent() ? plan.mappedBytes() : null;
        return new MemoryNeed(plan.loadedBytes(), kvBytes, scratch, mapped);
    }

    /** All that lies in a folder so far. */
    static Map<String, BundleFile> files(Path folder, ProgressListener listener) throws IOException {
        List<Path> paths;
        try (var all = Files.list(folder)) {
            paths = all.sorted().toList();
        }
        Map<String, BundleFile> files = new TreeMap<>();
        for (Digests.Entry entry : Digests.of(paths, ProgressListener.Phase.BUNDLE_DIGEST, listener)) {
            files.put(entry.name(), new BundleFile(entry.bytes(), entry.sha256()));
        }
        return files;
    }
}
