package dev.meridian.engine.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A copy of a bundle that ships, with one thing that is not as it was. */
final class BundleCheckTest {
    @TempDir
    private Path parent;

    private Path folder() {
        return parent.resolve("atlas");
    }

    @BeforeEach
    void copy() throws IOException {
        Files.createDirectory(folder());
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("meridian.root"), "models", "atlas"))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder().resolve(file.getFileName()));
            }
        }
    }

    private void refused(String fault) {
        assertThatThrownBy(() -> CheckedBundle.of(Bundle.open(folder()), VerifiedFiles.none()))
                .isInstanceOf(BundleException.class)
                .hasMessageStartingWith(folder() + "")
                .hasMessageContaining(fault);
    }

    /** As an attacker would: length and digest in the manifest are those of the new content. */
    private void replace(String name, byte[] content) throws IOException {
        Files.write(folder().resolve(name), content);
        BundleManifest old = Bundle.open(folder()).manifest();
        Map<String, BundleFile> files = new TreeMap<>(old.files());
        String digest = HexFormat.of().formatHex(Bundle.newSha256().digest(content));
        BundleFile before = Objects.requireNonNull(files.put(name, new BundleFile(content.length, digest)), name);
        assertThat(before.bytes()).as("the length stays").isEqualTo(content.length);
        String text = new String(Bundle.manifestBytes(old), StandardCharsets.UTF_8).replace(before.sha256(), digest);
        Files.writeString(folder().resolve(BundleManifest.FILE_NAME), text);
    }

    /** Texts of one length, so that every other length stays right. */
    private void edit(String name, String from, String to) throws IOException {
        assertThat(to).hasSameSizeAs(from);
        Path file = folder().resolve(name);
        String bytes = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        assertThat(bytes).contains(from);
        replace(
                name,
                bytes.replaceFirst(java.util.regex.Pattern.quote(from), java.util.regex.Matcher.quoteReplacement(to))
                        .getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void aWholeBundlePassesAndStaysTheOneThatWasChecked() throws IOException {
        CheckedBundle checked = CheckedBundle.of(Bundle.open(folder()), VerifiedFiles.none());
        assertThatCode(checked::requireUnchanged).doesNotThrowAnyException();
        Path template = folder().resolve("chat_template.jinja");
        Path copy = Files.copy(template, parent.resolve("copy"));
        Files.move(copy, template, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(checked::requireUnchanged)
                .isInstanceOf(BundleException.class)
                .hasMessageContaining("changed while it was loaded: [chat_template.jinja]");
    }

    @Test
    void linksAreRefused() throws IOException {
        Path file = folder().resolve("tokenizer.json");
        Path outside = Files.move(file, parent.resolve("tokenizer.json"));
        Files.createSymbolicLink(file, outside);
        refused("tokenizer.json: a symbolic link");
        Files.delete(file);
        Files.createLink(file, outside);
        refused("tokenizer.json: has 2 names (hard links)");
        Files.delete(outside);
        assertThatCode(() -> CheckedBundle.of(Bundle.open(folder()), VerifiedFiles.none()))
                .doesNotThrowAnyException();
    }

    @Test
    void filesThatTheManifestDoesNotNameAreRefused() throws IOException {
        Files.writeString(folder().resolve(".DS_Store"), "harmless");
        Files.writeString(folder().resolve("special_tokens_map.json"), "{}");
        refused("special_tokens_map.json: not in the manifest");
    }

    @ParameterizedTest
    @CsvSource({
        "model.onnx.data, ../model.onnx.x, its file '../model.onnx.x' is none of the bundle's",
        "model.onnx.data, /tmp/model.data, its file '/tmp/model.data' is none of the bundle's",
        "model.onnx.data, tokenizer.jsonx, its file 'tokenizer.jsonx' is none of the bundle's",
        "model.onnx.data, tokenizer_confi, its file 'tokenizer_confi' is none of the bundle's",
        "MatMulNBits, MatMulNBitz, the operator is not one of this layout's",
        "com.microsoft, com.microsofx, domain 'com.microsofx' is not supported",
        "kv_num_heads, kv_num_headz, kv_num_heads is missing",
        "past.0.key, past.9.key, 'past.9.key'",
        "logit_idx, logit_idy, its input 'logit_idy' does not exist"
    })
    void graphsAreRefusedByWhatIsWrong(String from, String to, String fault) throws IOException {
        edit(BundleManifest.MODEL_FILE, from, to);
        refused(fault);
    }

    @ParameterizedTest
    @CsvSource({
        "model.onnx.data, ../model.onnx.x, its file '../model.onnx.x' is none of the bundle's",
        "BlockGemm, BlockGemz, the operator is not one of this layout's",
        "dev.meridian, dev.meridiax, domain 'dev.meridiax' is not supported",
        "past.0.key, past.9.key, 'past.9.key'",
        "logit_idx, logit_idy, its input 'logit_idy' does not exist"
    })
    void graphsOfOwnOperatorsAreRefusedByWhatIsWrong(String from, String to, String fault) throws IOException {
        edit(BundleManifest.KERNELS_FILE, from, to);
        refused(BundleManifest.KERNELS_FILE + ": ");
        refused(fault);
    }

    /** Each number of the graph is one or two larger, or a page further: lengths, N, K, bits and offsets alike. */
    @Test
    void packedWeightsThatAreNotWhatTheirOperatorSaysAreRefused() throws IOException {
        byte[] whole = Files.readAllBytes(folder().resolve(BundleManifest.KERNELS_FILE));
        OnnxFile model = OnnxFile.of("whole", java.nio.ByteBuffer.wrap(whole));
        BundleManifest manifest = Bundle.open(folder()).manifest();
        int refused = 0;
        for (OnnxFile.Node node : model.graph().nodes()) {
            for (Map.Entry<String, OnnxFile.Attribute> attribute :
                    node.attributes().entrySet()) {
                if (node.domain().equals(GraphCheck.OWN_DOMAIN)
                        && attribute.getValue() instanceof OnnxFile.Attribute.Int(long value)) {
                    for (long other : new long[] {value + 32, value - 16, -value, 0, 1L << 62, value == 8 ? 4 : 8}) {
                        OnnxFile edited = with(model, node, attribute.getKey(), other);
                        assertThat(DecoderCheck.faults(edited, manifest, true))
                                .as("%s of %s as %d", attribute.getKey(), node.name(), other)
                                .isNotEmpty();
                        refused++;
                    }
                }
            }
        }
        assertThat(refused).isGreaterThan(100);
    }

    @Test
    void aGraphOfOwnOperatorsFromBeforeTheyHadAttentionIsRefusedWithWhatToDo() throws IOException {
        // The graph for ONNX Runtime's attention has the inputs that the other one had then.
        OnnxFile before = OnnxFile.of(
                "before", java.nio.ByteBuffer.wrap(Files.readAllBytes(folder().resolve(BundleManifest.MODEL_FILE))));
        assertThat(DecoderCheck.faults(before, Bundle.open(folder()).manifest(), true))
                .singleElement()
                .asString()
                .contains("made by an earlier Meridian", "./meridian import");
    }

    private static OnnxFile with(OnnxFile model, OnnxFile.Node node, String attribute, long value) {
        Map<String, OnnxFile.Attribute> attributes = new TreeMap<>(node.attributes());
        attributes.put(attribute, new OnnxFile.Attribute.Int(value));
        OnnxFile.Node edited = new OnnxFile.Node(
                node.name(), node.domain(), node.operator(), node.inputs(), node.outputs(), attributes);
        OnnxFile.Graph graph = model.graph();
        return new OnnxFile(
                model.name(),
                model.irVersion(),
                model.opsets(),
                model.metadata(),
                new OnnxFile.Graph(
                        graph.name(),
                        graph.nodes().stream()
                                .map(each -> each.equals(node) ? edited : each)
                                .toList(),
                        graph.initializers(),
                        graph.inputs(),
                        graph.outputs()));
    }

    @Test
    void aPackedBundleWithoutItsGraphOfOwnOperatorsIsRefused() throws IOException {
        Path manifest = folder().resolve(BundleManifest.FILE_NAME);
        String text = Files.readString(manifest);
        Files.writeString(
                manifest,
                text.replace(",\n  \"packing\" : \"panels16\"", "")
                        .replace(",\n    \"mappedWeightBytes\" : 2422528", ""));
        refused("kernels.onnx: the manifest's packing and this file are not there together");
    }

    @Test
    void bothGraphsMustMeanTheSameWeights() throws IOException {
        OnnxFile model = OnnxFile.of(
                "model", java.nio.ByteBuffer.wrap(Files.readAllBytes(folder().resolve(BundleManifest.MODEL_FILE))));
        OnnxFile kernels = OnnxFile.of(
                "kernels", java.nio.ByteBuffer.wrap(Files.readAllBytes(folder().resolve(BundleManifest.KERNELS_FILE))));
        assertThat(PackedMatrices.of(model, kernels)).hasSize(17);
        OnnxFile.Node gemm = kernels.graph().nodes().stream()
                .filter(node -> node.operator().equals("BlockGateUp"))
                .findFirst()
                .orElseThrow();
        assertThatThrownBy(() -> PackedMatrices.of(model, with(kernels, gemm, "K", 64)))
                .isInstanceOf(BundleException.class)
                .hasMessageContaining("takes other weights than the packed ones");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "vocabSize" : 3072     | "vocabSize" : 3073          | logits
            "kvHeads" : 3          | "kvHeads" : 6               | kv_num_heads is Int[value=3], expected 6
            "headDim" : 32         | "headDim" : 16              | past.0.key
            "layers" : 4           | "layers" : 5                | 12 inputs, expected 14
            "contextTokens" : 512  | "contextTokens" : 4096      | input 7 is FLOAT [512, 16], expected FLOAT [4096, 16]
            "weightBytes" : 6062848 | "weightBytes" : 1          | the manifest's weightBytes are 1
            "mappedWeightBytes" : 2422528 | "mappedWeightBytes" : 2422527 | mappedWeightBytes are 2422527, the constants take
            "packing" : "panels16" | "packing" : "panels8"       | packing panels8, this version reads panels16; make the bundle again
            "kvBytesPerToken" : 3072 | "kvBytesPerToken" : 1     | the manifest's kvBytesPerToken are 1
            """)
    void aManifestThatDoesNotFitItsGraphIsRefused(String from, String to, String fault) throws IOException {
        Path manifest = folder().resolve(BundleManifest.FILE_NAME);
        String text = Files.readString(manifest);
        assertThat(text).contains(from);
        Files.writeString(manifest, text.replace(from, to));
        refused(fault);
    }

    @Test
    void graphsThatAreCutAnywhereAreRefused() throws IOException {
        byte[] whole = Files.readAllBytes(folder().resolve(BundleManifest.MODEL_FILE));
        for (int length = 0; length < whole.length; length += 97) {
            int cut = length;
            assertThatThrownBy(() -> OnnxFile.of("cut", java.nio.ByteBuffer.wrap(java.util.Arrays.copyOf(whole, cut))))
                    .as("at %d", cut)
                    .isInstanceOf(BundleException.class);
        }
    }
}
