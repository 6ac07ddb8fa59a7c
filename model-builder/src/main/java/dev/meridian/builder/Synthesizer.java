package dev.meridian.builder;

import dev.meridian.builder.graph.TokenTables;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ConfigReader;
import dev.meridian.builder.source.ImportException;
import dev.meridian.builder.source.ModelConfig;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Makes a bundle of a given shape with random weights and a tokenizer of bytes, to measure speed with: it talks
 * nonsense as fast as the real model talks sense. The same config.json, weights and seed give the same bytes.
 */
public final class Synthesizer {
    /** Works as {@link Importer#run} does: all or nothing. */
    public void run(Path configJson, Path out, Weights weights, long seed, ProgressListener listener)
            throws ImportException {
        IoFailures.named(out, () -> synthesize(configJson, out, weights, seed, listener));
    }

    private static void synthesize(Path configJson, Path out, Weights weights, long seed, ProgressListener listener)
            throws ImportException, IOException {
        ModelConfig config = ConfigReader.read(configJson);
        int vocabSize = config.vocabSize();
        if (vocabSize < ByteTokenizer.MIN_VOCABULARY) {
            throw new ImportException(configJson + ": vocab_size " + vocabSize
                    + " is too small for a tokenizer of bytes, " + ByteTokenizer.MIN_VOCABULARY + " are needed");
        }
        try (StagedFolder folder = StagedFolder.create(out)) {
            TokenTables tables = config.tied() ? TokenTables.tied(false) : TokenTables.separate();
            var writer = new BundleWriter(config, weights, KvType.F32, tables, listener);
            writer.requireSpace(folder.path());
            writer.writeModel(folder.path(), new RandomEncoder(seed));
            ByteTokenizer.write(folder.path().resolve(SourceFacts.TOKENIZER), vocabSize);
            var facts = new SourceFacts(
                    "random " + config.family().label(),
                    null,
                    List.of(vocabSize - 1),
                    SamplingDefaults.none(),
                    Optional.empty());
            List<Digests.Entry> source =
                    Digests.of(List.of(configJson), ProgressListener.Phase.SOURCE_DIGEST, listener);
            writer.writeManifest(folder.path(), facts, "unknown", Digests.combined(source));
            folder.commit();
        }
    }
}
