package dev.meridian.engine.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BundleManifestTest {
    private static final BundleManifest WHOLE = new BundleManifest(
            BundleManifest.FORMAT,
            "Little",
            "llama",
            new ModelShape(2, 64, 96, 4, 2, 16, 100, 512),
            "int8",
            "f32",
            new MemoryNeed(1000, 512, 10),
            1,
            List.of(2, 99),
            SamplingDefaults.none(),
            "Apache-2.0",
            "00",
            Map.of("model.onnx", new BundleFile(5, "0a")));

    @TempDir
    private Path folder;

    @Test
    void aManifestIsReadAsItWasWritten() throws IOException {
        write(json());
        assertThat(Bundle.open(folder).manifest()).isEqualTo(WHOLE);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "headDim" : 16             | "headDim" : 0             | shape: headDim is 0, expected at least 1
            "headDim" : 16,            |                           | shape.headDim: Cannot map `null` into type `int`
            "kvHeads" : 2              | "kvHeads" : 3             | shape: heads is 4, no multiple of kvHeads 3
            "kvHeads" : 2              | "kvHeads" : -2            | shape: kvHeads is -2, expected at least 1
            "contextTokens" : 512      | "contextTokens" : 1       | shape: contextTokens is 1, expected at least 2
            "layers" : 2               | "layers" : "two"          | shape.layers: Cannot deserialize value
            "kvBytesPerToken" : 512    | "kvBytesPerToken" : 0     | memory: kvBytesPerToken is 0, expected at least 1
            "scratchBytes" : 10        | "scratchBytes" : -1       | memory: scratchBytes is -1, expected at least 0
            "eosTokenIds" : [ 2, 99 ]  | "eosTokenIds" : [ 2, 100 ] | eosTokenIds: 100 is outside the vocabulary of 100
            "eosTokenIds" : [ 2, 99 ]  | "eosTokenIds" : null      | eosTokenIds is missing
            "eosTokenIds" : [ 2, 99 ]  | "eosTokenIds" : [ null ]  | eosTokenIds: [0] is missing
            "bosTokenId" : 1           | "bosTokenId" : -1         | bosTokenId: -1 is outside the vocabulary of 100
            "weights" : "int8"         | "weights" : null          | weights is missing
            "name" : "Little"          | "name" : " "              | name is empty
            "bytes" : 5                | "bytes" : -5              | files.model.onnx: bytes is -5, expected at least 0
            "sha256" : "0a"            | "sha256" : null           | files.model.onnx: sha256 is missing
            """)
    void aDamagedValueIsNamed(String value, @Nullable String damaged, String message) throws IOException {
        assertThat(json()).contains(value);
        write(json().replace(value, damaged == null ? "" : damaged));
        assertFault(message);
    }

    @ParameterizedTest
    @CsvSource({"shape", "memory", "defaults", "files"})
    void aMissingPartIsNamed(String part) throws IOException {
        write(json().replaceFirst("(?s)\"" + part + "\" : \\{.*?\\n  }", "\"" + part + "\" : null"));
        assertFault(part + " is missing");
    }

    @Test
    void aBundleOfOurOwnLayoutSaysNothingOfIt() {
        assertThat(json()).doesNotContain("graph");
    }

    @Test
    void aReadyMadeGraphsNamesAreReadAsTheyWereWritten() throws IOException {
        String graph = """
                {"kind": "past-present", "inputIds": "ids", "attentionMask": null, "positionIds": "places",
                 "logits": "out", "past": ["k", "v"], "present": ["k2", "v2"]}""";
        write(json().replace("\n}\n", ",\n\"graph\": " + graph + "\n}\n"));
        BundleManifest read = Bundle.open(folder).manifest();
        assertThat(read.graph())
                .isEqualTo(new GraphLayout(
                        "past-present", "ids", null, "places", "out", List.of("k", "v"), List.of("k2", "v2")));
        write(new String(Bundle.manifestBytes(read), StandardCharsets.UTF_8));
        assertThat(Bundle.open(folder).manifest()).isEqualTo(read);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            paged        | ids | out | k1 | graph: kind is paged, this version knows past-present
            past-present | k   | out | k1 | graph: inputs: k is named twice
            past-present | ids | k1  | k1 | graph: outputs: k1 is named twice
            """)
    void aWrongGraphEntryIsNamed(String kind, String ids, String logits, String present, String message)
            throws IOException {
        String graph = """
                {"kind": "%s", "inputIds": "%s", "attentionMask": null, "positionIds": null,
                 "logits": "%s", "past": ["k"], "present": ["%s"]}""".formatted(kind, ids, logits, present);
        write(json().replace("\n}\n", ",\n\"graph\": " + graph + "\n}\n"));
        assertFault(message);
    }

    @Test
    void anotherFormatIsNamedBeforeItsFields() throws IOException {
        write("{\"format\" : 2, \"tensors\" : []}");
        assertFault("format 2, this version reads 1; import the model again");
    }

    private void assertFault(String message) {
        assertThatThrownBy(() -> Bundle.open(folder))
                .isInstanceOf(BundleException.class)
                .hasMessageStartingWith(folder.resolve(BundleManifest.FILE_NAME) + ": ")
                .hasMessageContaining(message);
    }

    private static String json() {
        return new String(Bundle.manifestBytes(WHOLE), StandardCharsets.UTF_8);
    }

    private void write(String manifest) throws IOException {
        Files.writeString(folder.resolve(BundleManifest.FILE_NAME), manifest);
    }
}
