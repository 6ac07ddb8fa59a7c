package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtException;
import dev.meridian.builder.graph.DecoderGraph;
import dev.meridian.builder.graph.DecoderPlan;
import dev.meridian.builder.graph.TokenTables;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.Checkpoint;
import dev.meridian.builder.source.ConfigReader;
import dev.meridian.builder.source.ImportException;
import dev.meridian.builder.source.ModelConfig;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.onnx.UnpackedWeights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the tests of this package do again and again. */
final class TestBundles {
    private TestBundles() {}

    static Bundle imported(Path source, Path out, Weights weights) throws ImportException {
        new Importer().run(new ImportRequest(source, out, weights, KvType.F32), ProgressListener.none());
        Bundle bundle = Bundle.open(out);
        assertThat(bundle.verify()).isEmpty();
        return bundle;
    }

    /** As bundles were before their weights were packed. */
    static Bundle unpacked(Path source, Path out, Weights weights) throws Exception {
        ModelConfig config = ConfigReader.read(source.resolve("config.json"));
        Files.createDirectory(out);
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            TokenTables tables = Importer.tables(config, checkpoint);
            DecoderPlan plan = DecoderGraph.unpacked(config, weights, tables, BundleManifest.WEIGHTS_FILE);
            BundleWriter writer = new BundleWriter(config, weights, KvType.F32, plan, ProgressListener.none());
            writer.writeModel(out, new CheckpointEncoder(checkpoint));
            Importer.copySmallFiles(source, out);
            writer.writeManifest(out, SourceFacts.read(source, config.vocabSize()), "unknown", "00");
        }
        Bundle bundle = Bundle.open(out);
        assertThat(bundle.verify()).isEmpty();
        return bundle;
    }

    static GraphSession session(Bundle bundle, int slots) throws OrtException {
        return session(CheckedBundle.of(bundle, VerifiedFiles.none()), slots);
    }

    /** Of the model file as it is now, with the weights that were checked. */
    static GraphSession session(CheckedBundle checked, int slots) throws OrtException {
        Bundle bundle = checked.bundle();
        var shape = bundle.manifest().shape();
        return new GraphSession(
                bundle.file("model.onnx"),
                UnpackedWeights.of(checked),
                shape.layers(),
                shape.kvHeads(),
                shape.headDim(),
                Math.min(shape.contextTokens(), 512),
                slots);
    }

    /** Logits after every token, with the prompt in pieces of {@code chunk} tokens. */
    static float[][] inChunks(GraphSession session, int slot, int[] tokens, int chunk) throws OrtException {
        float[][] all = new float[tokens.length][];
        for (int at = 0; at < tokens.length; at += chunk) {
            int count = Math.min(chunk, tokens.length - at);
            int[] piece = java.util.Arrays.copyOfRange(tokens, at, at + count);
            long[] wanted = java.util.stream.LongStream.range(0, count).toArray();
            float[][] logits = session.run(slot, new int[][] {piece}, new int[] {at}, wanted);
            System.arraycopy(logits, 0, all, at, count);
        }
        return all;
    }

    /** The largest difference of any logit. */
    static double difference(float[][] actual, List<double[]> expected) {
        assertThat(actual).hasDimensions(expected.size(), expected.getFirst().length);
        double largest = 0;
        for (int row = 0; row < actual.length; row++) {
            for (int i = 0; i < actual[row].length; i++) {
                double difference = Math.abs(actual[row][i] - expected.get(row)[i]);
                largest = difference > largest || Double.isNaN(difference) ? difference : largest;
            }
        }
        return largest;
    }

    /** Root of the mean squared difference, in units of the expected logits' own deviation from their mean. */
    static double relativeError(float[][] actual, List<double[]> expected) {
        double errors = 0;
        double signal = 0;
        for (int row = 0; row < actual.length; row++) {
            double mean = java.util.Arrays.stream(expected.get(row)).average().orElseThrow();
            for (int i = 0; i < actual[row].length; i++) {
                errors += Math.pow(actual[row][i] - expected.get(row)[i], 2);
                signal += Math.pow(expected.get(row)[i] - mean, 2);
            }
        }
        return Math.sqrt(errors / signal);
    }

    static int[] tokens(int count, int vocabSize, long seed) {
        return new java.util.Random(seed).ints(count, 0, vocabSize).toArray();
    }
}
