package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.BundleManifest;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class VerifyCommandTest {
    @TempDir
    private Path parent;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void copyBundle() throws IOException {
        Files.createDirectory(folder());
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("meridian.root"), "models", "atlas"))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder().resolve(file.getFileName()));
            }
        }
    }

    @Test
    void aWholeBundlePasses() {
        assertThat(verify()).isZero();
        assertThat(out.toString().lines())
                .containsExactly(
                        "little: meridian/atlas (llama), int8 weights, f16 KV cache, context of 512 tokens, licence"
                                + " apache-2.0",
                        "",
                        "File                        Size  State",
                        "chat_template.jinja        401 B  ok",
                        "generation_config.json     105 B  ok",
                        "kernels.onnx             9.1 KiB  ok",
                        "model.onnx              13.7 KiB  ok",
                        "model.onnx.data          2.3 MiB  ok",
                        "tokenizer.json          74.4 KiB  ok",
                        "tokenizer_config.json      905 B  ok",
                        "",
                        "The bundle is whole.");
    }

    @Test
    void faultsStandBesideTheirFilesAndExitWith1() throws IOException {
        Files.writeString(folder().resolve("chat_template.jinja"), "x".repeat(401));
        Files.delete(folder().resolve("tokenizer.json"));
        Files.writeString(folder().resolve("special_tokens_map.json"), "{}");

        assertThat(verify()).isEqualTo(1);
        assertThat(out.toString().lines())
                .contains(
                        "chat_template.jinja        401 B  SHA-256 differs",
                        "tokenizer.json          74.4 KiB  missing",
                        "special_tokens_map.json: not in the manifest; remove it",
                        "3 faults found.");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void everyFaultOfAGraphIsTold() throws IOException {
        Path manifest = folder().resolve(BundleManifest.FILE_NAME);
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replace("\"kvBytesPerToken\" : 3072", "\"kvBytesPerToken\" : 1")
                        .replace("\"weightBytes\" : 6062848", "\"weightBytes\" : 1"));

        assertThat(verify()).isEqualTo(1);
        assertThat(out.toString().lines())
                .contains(
                        "model.onnx              13.7 KiB  2 faults",
                        "model.onnx: the manifest's kvBytesPerToken are 1, the shape takes 3072",
                        "2 faults found.")
                .anyMatch(line -> line.startsWith("model.onnx: the manifest's weightBytes are 1, the constants take "));
    }

    @Test
    void aFolderWithoutManifestIsNoBundle() throws IOException {
        Files.delete(folder().resolve(BundleManifest.FILE_NAME));

        assertThat(verify()).isEqualTo(1);
        assertThat(err.toString().lines()).singleElement().asString().contains("not a bundle");
        assertThat(out.toString()).isEmpty();
    }

    private int verify() {
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute("verify", folder().toString());
    }

    private Path folder() {
        return parent.resolve("little");
    }
}
