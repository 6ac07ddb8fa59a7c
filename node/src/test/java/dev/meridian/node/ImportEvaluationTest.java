package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.meridian.builder.HfFolder;
import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.KvType;
import dev.meridian.builder.ProgressListener;
import dev.meridian.builder.ReferenceModel;
import dev.meridian.builder.graph.TinyDecoder;
import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.ModelSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** {@code import --eval-text}, from the command line to the figures. */
@Timeout(120)
final class ImportEvaluationTest {
    private static final int CONTEXT = 64;
    private static final String TEXT = "The quick brown fox jumps over the lazy dog, again and again. ".repeat(3)
            + "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.";

    @TempDir
    private Path folder;

    private Path models;
    private Path out;
    private Path textFile;
    private final StringWriter said = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine =
            Main.commandLine().setOut(new PrintWriter(said)).setErr(new PrintWriter(err));

    @BeforeEach
    void writeText() throws IOException {
        models = folder.resolve("models");
        out = models.resolve("little");
        textFile = Files.writeString(folder.resolve("text.txt"), TEXT);
    }

    private Path source(String vocabulary) throws IOException {
        return HfFolder.of("qwen3").with("vocab_size", vocabulary).stored("F16").write(folder.resolve("source"), 4);
    }

    private int run(Path source, String... options) {
        return commandLine.execute(
                Stream.concat(Stream.of("import", source.toString(), "--out", out.toString()), Arrays.stream(options))
                        .toArray(String[]::new));
    }

    private List<String> children() throws IOException {
        try (var all = Files.list(models)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    /** The tokenizer is one of bytes; windows of the whole context, half a context apart. */
    private static double referencePerplexity(Path source, int tokens) throws IOException {
        byte[] bytes = TEXT.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[Math.min(tokens, bytes.length)];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes[i] & 0xff;
        }
        ReferenceModel model = ReferenceModel.load(source);
        double sum = 0;
        int counted = 1;
        for (int begin = 0; counted < ids.length; begin += CONTEXT / 2) {
            int end = Math.min(ids.length, begin + CONTEXT);
            List<double[]> logits = model.logits(Arrays.copyOfRange(ids, begin, end));
            for (; counted < end; counted++) {
                double[] row = logits.get(counted - 1 - begin);
                double total = Arrays.stream(row).map(Math::exp).sum();
                sum += Math.log(total) - row[ids[counted]];
            }
        }
        return Math.exp(sum / (ids.length - 1));
    }

    @ParameterizedTest
    @CsvSource({"int8, 4096", "f16, 150", "f32, 2"})
    void reportsEveryKindOfWeightsAndLeavesTheBundleAlone(String weights, int tokens) throws Exception {
        Path source = source("300");

        assertThat(run(
                        source,
                        "--weights",
                        weights,
                        "--eval-text",
                        textFile.toString(),
                        "--eval-tokens",
                        Integer.toString(tokens),
                        "--json"))
                .as(err.toString())
                .isZero();

        JsonNode report = new ObjectMapper().readTree(said.toString());
        assertThat(report.path("bundle").asText()).isEqualTo("little");
        int textTokens = Math.min(tokens, TEXT.getBytes(StandardCharsets.UTF_8).length);
        assertThat(report.path("textTokens").asInt()).isEqualTo(textTokens);
        assertThat(report.path("windowTokens").asInt()).isEqualTo(CONTEXT);
        assertThat(report.path("strideTokens").asInt()).isEqualTo(CONTEXT / 2);
        JsonNode variants = report.path("variants");
        assertThat(variants)
                .extracting(variant -> variant.path("weights").asText())
                .containsExactly("f32", "f16", "int8", "int4");
        double expected = referencePerplexity(source, tokens);
        for (String exact : List.of("f32", "f16")) {
            assertThat(perplexity(named(variants, exact))).isCloseTo(expected, within(1e-3 * expected));
        }
        // Rounded weights and activations move each token's logarithm by some 0.03 at most, to either side.
        assertThat(perplexity(named(variants, "int8"))).isCloseTo(expected, within(0.05 * expected));
        assertThat(named(variants, "f16").path("errors").path("error").asDouble())
                .as("a checkpoint of float16")
                .isZero();
        double int8 = named(variants, "int8").path("errors").path("error").asDouble();
        double int4 = named(variants, "int4").path("errors").path("error").asDouble();
        assertThat(int8).isBetween(1e-3, 1e-2);
        assertThat(int4).isBetween(0.05, 0.15);
        assertThat(named(variants, "int4").path("errors").path("layers"))
                .extracting(layer -> layer.path("layer").asText())
                .containsExactly("embedding", "0", "1", "head");
        assertThat(named(variants, weights).path("bytes").asLong()).isEqualTo(bytes(out));
        assertThat(children()).containsExactly("little");
        assertThat(err.toString()).contains("little is ready");
    }

    private static JsonNode named(JsonNode variants, String weights) {
        return variants.valueStream()
                .filter(variant -> variant.path("weights").asText().equals(weights))
                .findFirst()
                .orElseThrow();
    }

    private static double perplexity(JsonNode variant) {
        return variant.path("perplexity").asDouble();
    }

    private static long bytes(Path bundle) throws IOException {
        long bytes = 0;
        try (var files = Files.list(bundle)) {
            for (Path file : files.toList()) {
                bytes += Files.size(file);
            }
        }
        return bytes;
    }

    @Test
    void theTableNamesTheWorstMatrix() throws Exception {
        assertThat(run(source("300"), "--eval-text", textFile.toString(), "--eval-tokens", "20"))
                .as(err.toString())
                .isZero();
        String[] lines = said.toString().split("\\R", -1);
        assertThat(lines[0]).contains("is ready");
        assertThat(lines[1]).startsWith("Perplexity of 20 tokens, windows of 64, stride 32.");
        assertThat(lines[3]).matches("Weights +Size +Perplexity +Error +Worst +Worst matrix");
        assertThat(lines[4]).matches("f32 .* KiB +\\d+\\.\\d{4} +0 +0 +-");
        assertThat(lines[7]).matches("int4 .* (model\\.|lm_head).*\\.weight");
        assertThat(lines[9]).matches("Layer +f32 +f16 +int8 +int4");
        assertThat(lines[10]).matches("embedding +0 +0 +0\\.00.* +0\\..*");
    }

    @Test
    void aModelThatDoesNotFitTheBudgetIsComparedAndNotRun() throws Exception {
        ImportRequest request = new ImportRequest(source("300"), out, Weights.INT8, KvType.F32);
        new Importer().run(request, ProgressListener.none());
        ModelSettings settings = new ModelSettings(100_000, 1, 64, 16, 1, 1);

        VariantReport report =
                new VariantEvaluation(request, EvalText.read(textFile, 50), settings, new PrintWriter(err)).run();

        assertThat(report.variants()).hasSize(4).allSatisfy(variant -> {
            assertThat(variant.perplexity()).isNull();
            assertThat(variant.note()).startsWith("not run: it needs ").endsWith(", the budget is 97.7 KiB");
            assertThat(variant.errors()).isNotNull();
        });
        StringWriter printed = new StringWriter();
        report.print(new PrintWriter(printed));
        assertThat(printed.toString())
                .containsPattern("int4 +\\S+ KiB +- +0\\.")
                .contains("int4: not run: it needs ");
        assertThat(children()).containsExactly("little");
    }

    @Test
    void ofAReadyMadeGraphSizeAndPerplexityAreReported() throws Exception {
        TinyDecoder decoder = new TinyDecoder(TinyDecoder.Form.PLAIN, 300, 3);
        Path source = folder.resolve("ready");
        decoder.write(source, "model.onnx");
        Files.writeString(source.resolve("config.json"), """
                {"model_type": "tiny", "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2, "head_dim": 4,
                 "max_position_embeddings": 64, "vocab_size": 300, "eos_token_id": 2}""");
        Files.copy(source("300").resolve("tokenizer.json"), source.resolve("tokenizer.json"));

        assertThat(run(source, "--eval-text", textFile.toString(), "--eval-tokens", "40", "--json"))
                .as(err.toString())
                .isZero();

        JsonNode variant = new ObjectMapper().readTree(said.toString()).path("variants");
        assertThat(variant).hasSize(1);
        assertThat(variant.path(0).path("weights").asText()).isEqualTo("f32");
        assertThat(variant.path(0).path("errors").isNull()).isTrue();
        byte[] bytes = TEXT.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[40];
        double sum = 0;
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes[i] & 0xff;
            if (i > 0) {
                double[] logits = decoder.logits(Arrays.copyOf(ids, i));
                sum += Math.log(Arrays.stream(logits).map(Math::exp).sum()) - logits[ids[i]];
            }
        }
        double expected = Math.exp(sum / 39);
        assertThat(perplexity(variant.path(0))).isCloseTo(expected, within(1e-3 * expected));
        assertThat(children()).containsExactly("little");
    }

    @ParameterizedTest
    @CsvSource({
        "missing, no such file",
        "empty, empty",
        "latin1, not UTF-8 at byte 2",
        "one, '1 token, '",
        "folder, not a file"
    })
    void aTextThatCannotBeUsedIsRefusedBeforeTheImport(String which, String message) throws Exception {
        Path file = folder.resolve(which);
        switch (which) {
            case "empty" -> Files.createFile(file);
            case "latin1" -> Files.write(file, new byte[] {'G', 'r', (byte) 0xfc, (byte) 0xdf, 'e'});
            case "one" -> Files.writeString(file, "a");
            case "folder" -> Files.createDirectory(file);
            default -> assertThat(file).doesNotExist();
        }
        assertThat(run(source("300"), "--eval-text", file.toString())).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("meridian import: " + file + ": ")
                .contains(message)
                .doesNotContain("internal error");
        assertThat(models).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "--json, --json needs --eval-text",
        "--eval-tokens=9, --eval-tokens needs --eval-text",
        "--eval-tokens=1 --eval-text=TEXT, --eval-tokens 1: expected 2 to 1000000"
    })
    void optionsThatDoNotFitAreAWrongCommandLine(String line, String message) throws Exception {
        String[] options = line.replace("TEXT", textFile.toString()).split(" ", -1);
        assertThat(run(source("300"), options)).isEqualTo(2);
        assertThat(err.toString()).contains(message);
        assertThat(models).doesNotExist();
    }

    /** The model has no rows for the tokens of letters; the first variant exists by then. */
    @Test
    void anEvaluationThatFailsLeavesTheBundleAndNothingElse() throws Exception {
        assertThat(run(source("97"), "--eval-text", textFile.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("outside the model's vocabulary of 97");
        assertThat(children()).containsExactly("little");
    }

    @Test
    void aProcessThatIsToldToStopLeavesTheBundleAndNothingElse() throws Exception {
        Path source = source("300");
        Files.writeString(textFile, TEXT.repeat(2000));
        Files.createDirectory(models);
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                Main.class.getName(),
                "import",
                source.toString(),
                "--out",
                out.toString(),
                "--eval-text",
                textFile.toString(),
                "--eval-tokens",
                "400000");
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        try (WatchService watch = models.getFileSystem().newWatchService()) {
            models.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(folder.resolve("said").toFile())
                    .start();
            try {
                awaitVariant(watch, process);
                process.destroy();
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
                assertThat(process.exitValue()).as("ended by SIGTERM").isEqualTo(143);
            } finally {
                process.destroyForcibly();
            }
        }
        assertThat(children()).containsExactly("little");
    }

    private void awaitVariant(WatchService watch, Process process) throws InterruptedException, IOException {
        for (long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60); System.nanoTime() < deadline; ) {
            WatchKey key = watch.poll(1, TimeUnit.SECONDS);
            if (key != null) {
                boolean made = key.pollEvents().stream()
                        .anyMatch(
                                event -> String.valueOf(event.context()).equals(".little.evaluating-" + process.pid()));
                key.reset();
                if (made) {
                    return;
                }
            }
            if (!process.isAlive()) {
                break;
            }
        }
        throw new AssertionError("no variant was made; said: " + Files.readString(folder.resolve("said")));
    }
}
