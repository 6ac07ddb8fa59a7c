package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.kernels.KernelLibrary;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bundles of panels beside those that were made before there were any. */
class PackedBundleTest {
    private static final String CASES = """
            INT8, llama, 64, true
            INT8, qwen2, 72, true
            INT8, qwen3, 72, false
            INT4, llama, 72, false
            INT4, qwen2, 64, true
            INT4, qwen3, 72, true
            """;

    @TempDir
    Path folder;

    private Path source(String family, int hidden, boolean tied) throws Exception {
        return HfFolder.of(family)
                .with("hidden_size", Integer.toString(hidden))
                .with("tie_word_embeddings", Boolean.toString(tied))
                .write(folder.resolve("source"), 5);
    }

    private static float[] logits(Bundle bundle, Optional<Path> kernels) {
        int[] tokens = TestBundles.tokens(20, bundle.manifest().shape().vocabSize(), 3);
        CheckedBundle checked = CheckedBundle.of(bundle, VerifiedFiles.none());
        try (ModelRunner runner = GraphRunners.open(checked, new RunnerSettings(2, 64, 16, 1, kernels))) {
            runner.prefill(0, 0, tokens, 0, 16, true);
            runner.prefill(0, 16, tokens, 16, 3, true);
            runner.decode(1, new int[] {tokens[19]}, new int[] {19});
            float[] logits = new float[runner.vocabSize()];
            runner.logits(0, logits);
            return logits;
        }
    }

    @ParameterizedTest
    @CsvSource(textBlock = CASES)
    void bundlesMadeBeforeComputeTheSame(Weights weights, String family, int hidden, boolean tied) throws Exception {
        Path source = source(family, hidden, tied);
        Bundle packed = TestBundles.imported(source, folder.resolve("packed"), weights);
        Bundle before = TestBundles.unpacked(source, folder.resolve("before"), weights);
        assertThat(before.manifest().packing()).isNull();
        assertThat(packed.manifest().packing()).isEqualTo("panels16");
        assertThat(logits(packed, Optional.empty())).containsExactly(logits(before, Optional.empty()));
        assertThat(WeightErrors.of(source, before.folder())).isEqualTo(WeightErrors.of(source, packed.folder()));
    }

    @ParameterizedTest
    @CsvSource(textBlock = CASES)
    void bothGraphsOfABundleAgree(Weights weights, String family, int hidden, boolean tied) throws Exception {
        KernelLibrary library = KernelLibrary.ofProcess();
        Assumptions.assumeTrue(library instanceof KernelLibrary.Available, library::toString);
        Path source = source(family, hidden, tied);
        Bundle bundle = TestBundles.imported(source, folder.resolve("packed"), weights);
        float[] stock = logits(bundle, Optional.empty());
        float[] kernels = logits(bundle, Optional.of(((KernelLibrary.Available) library).file()));
        double error = 0;
        double square = 0;
        for (int i = 0; i < stock.length; i++) {
            error += Math.pow(kernels[i] - stock[i], 2);
            square += Math.pow(stock[i], 2);
        }
        // Keys and values of float16 turn some roundings of activations to 8 bits; 0.012 at most in these cases.
        assertThat(Math.sqrt(error / square)).isLessThan(0.02);
    }

    @Test
    void scalesThatFloat16CannotHoldAreRefusedByTensor() throws Exception {
        Path source = HfFolder.of("llama")
                .with("hidden_size", "64")
                .scaled("model.layers.1.mlp.up_proj.weight", 1e9)
                .write(folder.resolve("huge"), 5);
        assertThatThrownBy(() -> TestBundles.imported(source, folder.resolve("out"), Weights.INT8))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining(
                        "tensor model.layers.1.mlp.up_proj.weight has weights in row 0, columns from 0 on")
                .hasMessageContaining("float16 cannot hold");
        assertThat(folder.resolve("out")).doesNotExist();
    }
}
