package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights stored as float16 and computed with as float32. */
class HalfWeightsTest {
    /** What float32 graphs may differ by from the reference in double precision, {@link FamilyTest}. */
    private static final double FLOAT_TOLERANCE = 1e-3;
    /**
     * Rounding moves a weight by at most 2^-11 of itself, evenly spread: 2^-11 / sqrt(3) = 0.0003 of its size. Each product
     * has that relative error, and some fifteen of them, in two layers and around, add up as their squares do: 0.0011.
     */
    private static final double ROUNDING_ERROR = 0.002;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "llama, F32, false",
        "llama, F32, true",
        "qwen2, BF16, false",
        "qwen2, F16, true",
        "qwen3, BF16, true",
        "mistral, F16, false"
    })
    void logitsAreThoseOfTheRoundedWeights(String family, String stored, boolean tied) throws Exception {
        Path source = HfFolder.of(family)
                .with("tie_word_embeddings", Boolean.toString(tied))
                .stored(stored)
                .write(folder.resolve("source"), 5);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.F16);
        int[] tokens = TestBundles.tokens(24, bundle.manifest().shape().vocabSize(), 3);
        Map<String, double[]> tensors = SafetensorsReader.readAll(source);
        List<double[]> unrounded = ReferenceModel.of(source, tensors).logits(tokens);
        List<double[]> rounded = ReferenceModel.of(source, rounded(tensors)).logits(tokens);
        try (GraphSession session = TestBundles.session(bundle, 2)) {
            float[][] inOne = TestBundles.inChunks(session, 0, tokens, 24);
            float[][] byToken = TestBundles.inChunks(session, 1, tokens, 1);
            assertThat(TestBundles.difference(inOne, rounded)).as("in one go").isLessThan(FLOAT_TOLERANCE);
            assertThat(TestBundles.difference(byToken, rounded))
                    .as("token by token")
                    .isLessThan(FLOAT_TOLERANCE);
            assertThat(TestBundles.relativeError(inOne, unrounded))
                    .as("against the checkpoint")
                    .isLessThan(ROUNDING_ERROR);
        }
    }

    /** Norms and biases stay as they are. */
    private static Map<String, double[]> rounded(Map<String, double[]> tensors) {
        Map<String, double[]> rounded = new HashMap<>(tensors);
        rounded.replaceAll((name, values) -> {
            boolean vector = name.endsWith("norm.weight") || name.endsWith(".bias");
            return vector
                    ? values
                    : java.util.Arrays.stream(values)
                            .map(value -> Float.float16ToFloat(Float.floatToFloat16((float) value)))
                            .toArray();
        });
        return rounded;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCheckpointOfFloat16LosesNothing(boolean tied) throws Exception {
        Path source = HfFolder.of("qwen3")
                .with("tie_word_embeddings", Boolean.toString(tied))
                .stored("F16")
                .write(folder.resolve("source"), 8);
        Bundle half = TestBundles.imported(source, folder.resolve("half"), Weights.F16);
        Bundle full = TestBundles.imported(source, folder.resolve("full"), Weights.F32);
        int[] tokens = TestBundles.tokens(24, 97, 3);
        try (GraphSession one = TestBundles.session(half, 1);
                GraphSession other = TestBundles.session(full, 1)) {
            assertThat(TestBundles.inChunks(one, 0, tokens, 7))
                    .isDeepEqualTo(TestBundles.inChunks(other, 0, tokens, 7));
        }
        assertThat(half.manifest().weights()).isEqualTo("f16");
        assertThat(dataBytes(half) - vectorsAndRotaryBytes(half))
                .as("matrices take half the bytes, but for alignment")
                .isCloseTo(
                        (dataBytes(full) - vectorsAndRotaryBytes(full)) / 2,
                        org.assertj.core.api.Assertions.within(2048L));
    }

    private static long dataBytes(Bundle bundle) {
        return java.util.Objects.requireNonNull(bundle.manifest().files().get(BundleManifest.WEIGHTS_FILE))
                .bytes();
    }

    /** Norms of two layers and the last, 64 wide, of heads 16 wide, and tables of 64 positions by 8 angles. */
    private static long vectorsAndRotaryBytes(Bundle bundle) {
        assertThat(bundle.manifest().shape().layers()).isEqualTo(2);
        return 4L * (5 * 64 + 4 * 16) + 2L * 4 * 64 * 8;
    }

    /** It would be a weight that is infinite, and a model that says nothing but NaN. */
    @Test
    void aValueThatFloat16CannotHoldIsRefusedByTensorAndPlace() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        put(source, "model.layers.1.mlp.up_proj.weight", 3 * 64 + 5, 65504);
        TestBundles.imported(source, folder.resolve("largest"), Weights.F16);
        put(source, "model.layers.1.mlp.up_proj.weight", 3 * 64 + 5, -65520);
        Path out = folder.resolve("out/bundle");
        assertThatThrownBy(() -> TestBundles.imported(source, out, Weights.F16))
                .isInstanceOf(ImportException.class)
                .hasMessage(
                        source + ": tensor model.layers.1.mlp.up_proj.weight has the value -65520.0 in row 3, column 5,"
                                + " which float16 cannot hold (65504 at most); choose other --weights");
        assertThat(folder.resolve("out")).doesNotExist();
        TestBundles.imported(source, out, Weights.F32);
    }

    /** What loading takes is twice what lies in the file: a plan for less would promise memory that is not there. */
    @Test
    void aManifestThatCountsFloat16AsItLiesInTheFileIsRefused() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.F16);
        long honest = bundle.manifest().memory().weightBytes();
        edit(bundle, "\"weightBytes\" : " + honest, "\"weightBytes\" : " + dataBytes(bundle));
        assertThat(Bundle.open(bundle.folder()).verify())
                .singleElement()
                .asString()
                .contains("the manifest's weightBytes are " + dataBytes(bundle) + ", the constants take ");
    }

    /** Every cast of a constant unpacks it once more. */
    @Test
    void aConstantOfFloat16ThatTwoNodesReadIsRefused() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 1);
        Bundle bundle = TestBundles.imported(source, folder.resolve("bundle"), Weights.F16);
        Path model = bundle.file(BundleManifest.MODEL_FILE);
        String before = Bundle.sha256(model);
        String graph = Files.readString(model, StandardCharsets.ISO_8859_1);
        // Field 1 of 23 bytes: an input of a node.
        String input = "\n\u0017layer.%d.mlp.down.weight";
        assertThat(graph).containsOnlyOnce(input.formatted(1));
        Files.writeString(model, graph.replace(input.formatted(1), input.formatted(0)), StandardCharsets.ISO_8859_1);
        edit(bundle, before, Bundle.sha256(model));
        assertThat(Bundle.open(bundle.folder()).verify())
                .anyMatch(fault -> fault.contains("'layer.0.mlp.down.weight' is read by another node, too"));
    }

    private static void edit(Bundle bundle, String from, String to) throws Exception {
        Path manifest = bundle.file(BundleManifest.FILE_NAME);
        String text = Files.readString(manifest);
        assertThat(text).contains(from);
        Files.writeString(manifest, text.replace(from, to));
    }

    private static void put(Path source, String tensor, int element, float value) throws Exception {
        Path file = source.resolve("model.safetensors");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int header = (int) bytes.getLong(0);
        String json = new String(bytes.array(), 8, header, StandardCharsets.UTF_8);
        var offsets = new com.fasterxml.jackson.databind.ObjectMapper()
                .readTree(json)
                .path(tensor)
                .path("data_offsets");
        bytes.putFloat(8 + header + offsets.path(0).asInt() + element * Float.BYTES, value);
        Files.write(file, bytes.array());
    }
}
