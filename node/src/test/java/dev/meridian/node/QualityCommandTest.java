package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.meridian.builder.HfFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code bench quality}, from the command line to the figures, of a model of random weights whose tokens are bytes. */
@Timeout(120)
final class QualityCommandTest {
    private static final int CONTEXT = 64;
    private static final String TEXT = "The quick brown fox jumps over the lazy dog, again and again. ".repeat(3);
    private static final List<String> ANSWERS = List.of("Lima", "Zürich");

    @TempDir
    private Path folder;

    private Path source;
    private Path textFile;
    private Path questionFile;
    private final StringWriter said = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void writeFiles() throws IOException {
        source = HfFolder.of("qwen3").with("vocab_size", "300").stored("F16").write(folder.resolve("source"), 4);
        textFile = Files.writeString(folder.resolve("text.txt"), TEXT);
        questionFile = folder.resolve("questions.jsonl");
        Files.write(
                questionFile,
                ANSWERS.stream().map(answer -> question("peru?", answer)).toList());
    }

    private static String question(String asked, String answer) {
        return "{\"kind\": \"capital\", \"messages\": [{\"role\": \"user\", \"content\": \"%s\"}], \"answer\": \"%s\"}"
                .formatted(asked, answer);
    }

    private int run(String... arguments) {
        String[] all = Stream.concat(Stream.of("bench", "quality"), Stream.of(arguments))
                .toArray(String[]::new);
        return Main.commandLine(all)
                .setOut(new PrintWriter(said))
                .setErr(new PrintWriter(err))
                .execute(all);
    }

    private JsonNode report(String... arguments) throws IOException {
        assertThat(run(arguments)).as(err.toString()).isZero();
        return new ObjectMapper().readTree(said.toString());
    }

    private static void requireRows(JsonNode rows, int asked) {
        assertThat(rows)
                .extracting(row -> row.path("weights").asText())
                .containsExactly("f32", "f16", "int8", "int8", "int4", "int4");
        JsonNode f32 = rows.path(0);
        double reference = f32.path("perplexity").asDouble();
        assertThat(f32.path("agreement").isNull()).isTrue();
        for (JsonNode row : rows) {
            assertThat(row.fieldNames())
                    .toIterable()
                    .containsExactly(
                            "weights",
                            "operators",
                            "bytes",
                            "perplexity",
                            "negativeLogLikelihood",
                            "agreement",
                            "answers",
                            "note");
            if (row.path("operators").asText().equals("missing")) {
                assertThat(row.path("note").asText()).startsWith("not run: ");
                continue;
            }
            double perplexity = row.path("perplexity").asDouble();
            assertThat(Math.log(perplexity))
                    .isCloseTo(row.path("negativeLogLikelihood").asDouble(), within(1e-9));
            assertThat(row.path("note").isNull()).isTrue();
            assertThat(row.path("answers").path("asked").asInt()).isEqualTo(asked);
            if (!row.equals(f32)) {
                JsonNode agreement = row.path("agreement");
                assertThat(agreement.fieldNames())
                        .toIterable()
                        .containsExactly("sameTop", "perplexityRatio", "meanDifference", "greatestDifference");
                assertThat(agreement.path("perplexityRatio").asDouble())
                        .isCloseTo(perplexity / reference, within(1e-9));
            }
        }
        JsonNode f16 = rows.path(1).path("agreement");
        assertThat(f16.path("sameTop").asDouble()).as("a checkpoint of float16").isEqualTo(1);
        assertThat(f16.path("greatestDifference").asDouble()).isLessThan(1e-3);
    }

    @Test
    void ofATextEveryVariantIsComparedWithF32() throws IOException {
        JsonNode report = report(source.toString(), "--text", textFile.toString(), "--tokens", "100", "--json");

        assertThat(report.fieldNames())
                .toIterable()
                .containsExactly("source", "predicted", "predictedTokens", "windowTokens", "strideTokens", "rows");
        assertThat(report.path("source").asText()).isEqualTo(source.toString());
        assertThat(report.path("predicted").asText()).isEqualTo("text");
        assertThat(report.path("predictedTokens").asInt()).isEqualTo(99);
        assertThat(report.path("windowTokens").asInt()).isEqualTo(CONTEXT);
        assertThat(report.path("strideTokens").asInt()).isEqualTo(CONTEXT / 2);
        requireRows(report.path("rows"), 0);
    }

    @Test
    void withoutATextTheTokensOfRightAnswersAreForeseen() throws IOException {
        JsonNode report = report(source.toString(), "--questions", questionFile.toString(), "--json");

        assertThat(report.path("predicted").asText()).isEqualTo("answers");
        int bytes = ANSWERS.stream()
                .mapToInt(answer -> answer.getBytes(StandardCharsets.UTF_8).length)
                .sum();
        assertThat(report.path("predictedTokens").asInt())
                .as("bytes, and an end token each")
                .isEqualTo(bytes + ANSWERS.size());
        assertThat(report.path("windowTokens").isNull()).isTrue();
        assertThat(report.path("strideTokens").isNull()).isTrue();
        requireRows(report.path("rows"), ANSWERS.size());
    }

    @Test
    void theTableHasALineForEachVariantAndItsOperators() {
        assertThat(run(
                        source.toString(),
                        "--text",
                        textFile.toString(),
                        "--tokens",
                        "20",
                        "--questions",
                        questionFile.toString()))
                .as(err.toString())
                .isZero();

        String[] lines = said.toString().split("\\R", -1);
        assertThat(lines[0])
                .isEqualTo(source + ": 19 predicted tokens of the text, windows of 64, stride 32."
                        + " Ratio, Top-1 and differences are beside f32.");
        assertThat(lines[2])
                .matches("Weights +Operators +Size +Perplexity +Ratio +Top-1 +Mean diff\\. +Greatest +Answers");
        assertThat(lines[3]).matches("f32 +onnxruntime +\\S+ KiB +\\d+\\.\\d{4}( +-){4} +0\\.00 %");
        assertThat(lines[4]).matches("f16 +onnxruntime +\\S+ KiB +\\S+ +1\\.0000 +100\\.00 % +0\\.0000 +0\\.000 .*");
        assertThat(lines[8]).startsWith("int4 ");
    }

    @ParameterizedTest
    @CsvSource({
        "missing, no such file",
        "empty, empty; a text to evaluate with has at least 2 tokens",
        "one, '1 token, a text to evaluate with has at least 2'",
        "folder, not a file"
    })
    void aTextThatCannotBeUsedIsRefusedByName(String which, String message) throws IOException {
        Path file = folder.resolve(which);
        switch (which) {
            case "empty" -> Files.createFile(file);
            case "one" -> Files.writeString(file, "a");
            case "folder" -> Files.createDirectory(file);
            default -> assertThat(file).doesNotExist();
        }
        refused(file + ": " + message, source.toString(), "--text", file.toString());
    }

    @ParameterizedTest
    @CsvSource({
        "missing, : no such folder",
        "empty, /config.json: no such file",
        "source, ': neither model.safetensors nor model.safetensors.index.json is there'",
        "bundle, : a bundle; variants are made of the folder that it was imported from"
    })
    void aFolderWithoutACheckpointIsRefusedByName(String which, String message) throws IOException {
        Path wrong = folder.resolve(which);
        switch (which) {
            case "empty" -> Files.createDirectory(wrong);
            case "source" -> Files.delete(wrong.resolve("model.safetensors"));
            case "bundle" -> Bundles.write(wrong);
            default -> assertThat(wrong).doesNotExist();
        }
        refused(wrong + message, wrong.toString(), "--text", textFile.toString());
    }

    @Test
    void questionsThatCannotBeUsedAreRefusedByName() throws IOException {
        Path missing = folder.resolve("missing");
        refused(missing + ": no such file or folder", source.toString(), "--questions", missing.toString());
        Path empty = Files.createFile(folder.resolve("empty"));
        refused(empty + ": no question in it", source.toString(), "--questions", empty.toString());
        Path broken = Files.writeString(folder.resolve("broken"), question("peru?", "Lima") + "\n\n");
        refused(broken + ": line 2: not a JSON object", source.toString(), "--questions", broken.toString());
        Path large = Files.writeString(folder.resolve("large"), question("peru?", "Lima".repeat(CONTEXT / 4)));
        refused(
                large + ": line 1: 70 tokens with its answer, at most 64 are run together",
                source.toString(),
                "--questions",
                large.toString());
    }

    private void refused(String message, String... arguments) {
        err.getBuffer().setLength(0);
        assertThat(run(arguments)).isEqualTo(1);
        assertThat(err.toString().lines().toList().getLast()).isEqualTo("meridian bench quality: " + message);
        assertThat(said.toString()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "--json, Missing --text=FILE or --questions=FILE",
        "--tokens=1 --text=x, --tokens 1: expected 2 to 1000000"
    })
    void optionsThatDoNotFitAreAWrongCommandLine(String options, String message) {
        assertThat(run((source + " " + options).split(" ", -1))).isEqualTo(2);
        assertThat(err.toString()).startsWith("meridian bench quality: " + message);
    }

    @Test
    void aProcessThatIsToldToStopLeavesNoVariantBehind() throws Exception {
        Files.writeString(textFile, TEXT.repeat(4000));
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + temporary,
                Main.class.getName(),
                "bench",
                "quality",
                source.toString(),
                "--text",
                textFile.toString(),
                "--tokens",
                "400000");
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Path output = folder.resolve("said");
        try (WatchService watch = temporary.getFileSystem().newWatchService()) {
            temporary.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            try {
                awaitVariant(watch, process, output);
                process.destroy();
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
                assertThat(process.exitValue()).as("ended by SIGTERM").isEqualTo(143);
            } finally {
                process.destroyForcibly();
            }
        }
        try (var left = Files.list(temporary)) {
            assertThat(left).noneMatch(path -> path.getFileName().toString().startsWith("meridian"));
        }
    }

    private static void awaitVariant(WatchService watch, Process process, Path output)
            throws InterruptedException, IOException {
        for (long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60); System.nanoTime() < deadline; ) {
            WatchKey key = watch.poll(1, TimeUnit.SECONDS);
            if (key != null) {
                boolean made = key.pollEvents().stream()
                        .anyMatch(event -> String.valueOf(event.context()).startsWith("meridian-quality"));
                key.reset();
                if (made) {
                    return;
                }
            }
            if (!process.isAlive()) {
                break;
            }
        }
        throw new AssertionError("no variant was made; said: " + Files.readString(output));
    }
}
