package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import dev.meridian.engine.bundle.BundleManifest.MemoryNeed;
import dev.meridian.engine.bundle.BundleManifest.ModelShape;
import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class VerifyCommandTest {
    @TempDir
    private Path parent;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void writeBundle() throws IOException {
        Path folder = Files.createDirectory(folder());
        Files.writeString(folder.resolve("model.onnx"), "graph");
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        BundleManifest manifest = new BundleManifest(
                BundleManifest.FORMAT,
                "Little",
                "llama",
                new ModelShape(1, 2, 3, 1, 1, 2, 16, 128),
                "int8",
                "f32",
                new MemoryNeed(5, 16, 0),
                null,
                List.of(2),
                SamplingDefaults.none(),
                "Apache-2.0",
                "00",
                Map.of("model.onnx", file("model.onnx"), "tokenizer.json", file("tokenizer.json")));
        Files.write(folder.resolve(BundleManifest.FILE_NAME), Bundle.manifestBytes(manifest));
    }

    @Test
    void aWholeBundlePasses() {
        assertThat(verify()).isZero();
        assertThat(out.toString().lines())
                .containsExactly(
                        "little: Little (llama), int8 weights, f32 KV cache, context of 128 tokens, licence Apache-2.0",
                        "",
                        "File            Size  State",
                        "model.onnx       5 B  ok",
                        "tokenizer.json   2 B  ok",
                        "",
                        "The bundle is whole.");
    }

    @Test
    void faultsStandBesideTheirFilesAndExitWith1() throws IOException {
        Files.writeString(folder().resolve("model.onnx"), "Graph");
        Files.delete(folder().resolve("tokenizer.json"));

        assertThat(verify()).isEqualTo(1);
        assertThat(out.toString().lines())
                .contains(
                        "model.onnx       5 B  SHA-256 differs",
                        "tokenizer.json   2 B  missing, or not a regular file",
                        "2 faults found.");
        assertThat(err.toString()).isEmpty();
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

    private BundleFile file(String name) throws IOException {
        Path file = folder().resolve(name);
        return new BundleFile(Files.size(file), Bundle.sha256(file));
    }
}
