package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.builder.quant.Dequantizer;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Errors that are read from a bundle against the same sums over arrays in memory. */
class WeightErrorsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"F16, BF16, true", "F16, F32, false", "INT8, F32, true", "INT4, F16, false", "F32, BF16, false"})
    void errorsAreThoseOfADirectComputation(Weights weights, String stored, boolean tied) throws Exception {
        Path source = HfFolder.of("qwen2")
                .with("hidden_size", "72")
                .with("tie_word_embeddings", Boolean.toString(tied))
                .stored(stored)
                .write(folder.resolve("source"), 5);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), weights);
        WeightErrors.Report report = WeightErrors.of(source, bundle.folder());

        List<String> names = tied ? List.of("embedding", "0", "1") : List.of("embedding", "0", "1", "head");
        assertThat(report.layers()).extracting(WeightErrors.Layer::layer).containsExactlyElementsOf(names);
        Map<String, double[]> tensors = new TreeMap<>(SafetensorsReader.readAll(source));
        tensors.keySet().removeIf(name -> name.endsWith("norm.weight") || name.endsWith(".bias"));
        assertThat(report.error()).isCloseTo(error(weights, tensors), within(1e-9));
        for (WeightErrors.Layer layer : report.layers()) {
            Map<String, double[]> own = new TreeMap<>(tensors);
            own.keySet().removeIf(name -> !layer(name).equals(layer.layer()));
            assertThat(layer.error()).as(layer.layer()).isCloseTo(error(weights, own), within(1e-9));
            double largest = own.entrySet().stream()
                    .mapToDouble(tensor -> error(weights, Map.of(tensor.getKey(), tensor.getValue())))
                    .max()
                    .orElseThrow();
            double worst = error(weights, Map.of(layer.worst(), own.get(layer.worst())));
            assertThat(layer.worstError()).isCloseTo(worst, within(1e-9)).isCloseTo(largest, within(1e-9));
        }
        switch (weights) {
            case F32 -> assertThat(report.error()).isZero();
            case F16 -> assertThat(report.error()).isLessThan(3e-4);
            case INT8 -> assertThat(report.error()).isBetween(1e-3, 1e-2);
            case INT4 -> assertThat(report.error()).isBetween(0.05, 0.15);
        }
    }

    private static String layer(String tensor) {
        if (tensor.startsWith("model.layers.")) {
            return tensor.split("\\.", -1)[2];
        }
        return tensor.startsWith("lm_head") ? "head" : "embedding";
    }

    private static double error(Weights weights, Map<String, double[]> tensors) {
        double differences = 0;
        double values = 0;
        for (Map.Entry<String, double[]> tensor : tensors.entrySet()) {
            double[] expected = tensor.getValue();
            double[] actual = stored(weights, tensor.getKey(), expected);
            for (int i = 0; i < expected.length; i++) {
                differences += Math.pow(actual[i] - expected[i], 2);
                values += Math.pow(expected[i], 2);
            }
        }
        return Math.sqrt(differences / values);
    }

    private static double[] stored(Weights weights, String name, double[] values) {
        int columns = name.contains("down_proj") ? 80 : name.contains("o_proj") ? 64 : 72;
        return switch (weights) {
            case F32 -> values;
            case F16 ->
                Arrays.stream(values)
                        .map(value -> Float.float16ToFloat(Float.floatToFloat16((float) value)))
                        .toArray();
            case INT8, INT4 -> Dequantizer.roundTrip(weights, values, columns);
        };
    }

    /** The bundle is read, not what import would make of the source now. */
    @Test
    void aWeightThatIsWrongInTheFileShows() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 5);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.F32);
        Path file = bundle.file(BundleManifest.WEIGHTS_FILE);
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, bytes.length - 4 * 97 * 64, bytes.length, (byte) 0);
        Files.write(file, bytes);
        WeightErrors.Report report = WeightErrors.of(source, bundle.folder());
        assertThat(report.layers().getLast()).isEqualTo(new WeightErrors.Layer("head", 1, "lm_head.weight", 1));
        assertThat(report.layers().subList(0, 3))
                .allSatisfy(layer -> assertThat(layer.error()).isZero());
    }

    @Test
    void aBundleOfAnotherSourceIsRefused() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 5);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.INT8);
        Path other = HfFolder.of("llama").with("intermediate_size", "96").write(folder.resolve("other"), 5);
        assertThatThrownBy(() -> WeightErrors.of(other, bundle.folder()))
                .isInstanceOf(ImportException.class)
                .hasMessageContaining("model.onnx.data: ")
                .hasMessageContaining(other.toString());
    }
}
