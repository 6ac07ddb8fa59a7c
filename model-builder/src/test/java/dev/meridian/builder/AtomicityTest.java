package dev.meridian.builder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A bundle appears whole or not at all, and is the same each time. */
class AtomicityTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void twoImportsAreByteEqual(Weights weights) throws Exception {
        Path source = HfFolder.of("qwen2").stored("BF16").write(folder.resolve("source"), 3);
        TestBundles.imported(source, folder.resolve("one"), weights);
        TestBundles.imported(source, folder.resolve("two"), weights);
        assertThat(contents(folder.resolve("one"))).isEqualTo(contents(folder.resolve("two")));
    }

    @ParameterizedTest
    @EnumSource
    void aFailureInAnyPhaseLeavesNothing(ProgressListener.Phase phase) throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 3);
        Path models = folder.resolve("models");
        var importer = new Importer();
        var request = new ImportRequest(source, models.resolve("bundle"), Weights.INT8, KvType.F32);
        assertThatThrownBy(() -> importer.run(request, (reached, done, total) -> {
                    if (reached == phase && done > total / 2) {
                        throw new IllegalStateException("stopped in " + phase);
                    }
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("stopped in " + phase);
        assertThat(models).doesNotExist();
    }

    @Test
    void anInterruptLeavesNothing() throws IOException {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 3);
        Path models = Files.createDirectory(folder.resolve("models"));
        var importer = new Importer();
        var request = new ImportRequest(source, models.resolve("bundle"), Weights.INT8, KvType.F32);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> importer.run(request, ProgressListener.none())).isInstanceOf(ImportException.class);
        assertThat(Thread.interrupted()).as("the interrupt is kept").isTrue();
        assertThat(models).isEmptyDirectory();
    }

    /** In a process of its own, since the JVM has to end: SIGTERM and Ctrl-C run the same shutdown hooks. */
    @Test
    void theEndOfTheJvmLeavesNothing() throws Exception {
        Path source = HfFolder.of("llama").write(folder.resolve("source"), 3);
        Path models = folder.resolve("models");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        HangingImport.class.getName(),
                        source.toString(),
                        models.resolve("bundle").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            assertThat(lines.readLine()).isEqualTo("hanging");
            assertThat(models).isNotEmptyDirectory();
            process.destroy();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(models).doesNotExist();
        } finally {
            process.destroyForcibly();
        }
    }

    private static Map<String, String> contents(Path folder) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                contents.put(
                        file.getFileName().toString(),
                        new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
            }
        }
        return contents;
    }
}
