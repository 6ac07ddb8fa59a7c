package dev.meridian.bench.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.bench.MeasurementFailed;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A local build of llama.cpp or of one that came from it: {@code llama-bench} for prompts and, where it stands beside it,
 * {@code llama-batched-bench} for decoding. Each task is a process of its own, so loading and memory are not measured.
 */
final class LlamaBench implements Contender {
    private static final String BATCHED = "llama-batched-bench";
    private static final long TASK_MINUTES = 10;
    private static final int KEPT_CHARACTERS = 1_000;
    /** The table's row: prompt and generated tokens, sequences, ..., generated tokens a second last but two. */
    private static final Pattern ROW = Pattern.compile("(?m)^\\|\\s*\\d+\\s*\\|.*\\|\\s*$");

    private static final Pattern CELLS = Pattern.compile("\\|");
    /** Where {@code S_TG t/s} stands among the row's cells. */
    private static final int RATE_CELL = 8;

    private final Path bench;
    private final Path batched;
    private final Path gguf;
    private final int threads;
    private final List<String> arguments;
    private final List<String> batchedArguments;

    /**
     * A build of which nothing runs yet.
     *
     * @param bench the program {@code llama-bench}
     * @param arguments further ones for it
     * @param batchedArguments further ones for the program beside it
     */
    LlamaBench(Path bench, Path gguf, int threads, List<String> arguments, List<String> batchedArguments) {
        this.bench = bench.toAbsolutePath();
        this.gguf = gguf.toAbsolutePath();
        this.threads = threads;
        this.arguments = List.copyOf(arguments);
        this.batchedArguments = List.copyOf(batchedArguments);
        batched = this.bench.resolveSibling(BATCHED);
        if (!Files.isExecutable(this.bench)) {
            throw new MeasurementFailed("--llama-bench " + bench + ": no program that can be run");
        }
    }

    @Override
    public String name() {
        return "llama.cpp (local)";
    }

    @Override
    public boolean measures(Task task) {
        return task.kind() != Task.Kind.LOAD && (task.kind() != Task.Kind.DECODE || Files.isExecutable(batched));
    }

    @Override
    public double run(Task task) throws IOException, InterruptedException {
        if (task.kind() == Task.Kind.DECODE) {
            return decode(task);
        }
        String json =
                output(bench, arguments, "-p", Integer.toString(task.count()), "-n", "0", "-r", "1", "-o", "json");
        JsonNode rate = JsonMapper.builder().build().readTree(json).path(0).path("avg_ts");
        if (!rate.isNumber()) {
            throw new MeasurementFailed(bench + " printed no avg_ts:\n" + end(json));
        }
        return task.kind() == Task.Kind.PREFILL ? rate.asDouble() : task.count() * 1e3 / rate.asDouble();
    }

    private double decode(Task task) throws IOException, InterruptedException {
        int positions = task.count() * (task.filled() + Task.DECODE_STEPS);
        String table = output(
                batched,
                batchedArguments,
                "-c",
                Integer.toString(positions + Task.DECODE_STEPS),
                "-npp",
                Integer.toString(task.filled()),
                "-ntg",
                Integer.toString(Task.DECODE_STEPS),
                "-npl",
                Integer.toString(task.count()));
        return decodeRate(table)
                .orElseThrow(() -> new MeasurementFailed(batched + " printed no row of figures:\n" + end(table)));
    }

    /** Tokens a second of the last row of {@code llama-batched-bench}'s table; empty where there is none. */
    static Optional<Double> decodeRate(String table) {
        Optional<Double> rate = Optional.empty();
        for (Matcher row = ROW.matcher(table); row.find(); ) {
            List<String> cells = CELLS.splitAsStream(row.group()).toList();
            if (cells.size() > RATE_CELL) {
                rate = Optional.of(Double.parseDouble(cells.get(RATE_CELL).strip()));
            }
        }
        return rate;
    }

    /** What the program prints, its log apart for JSON and within for the table, which some builds count as log. */
    private String output(Path program, List<String> arguments, String... options)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(program.toString(), "-m", gguf.toString(), "-t", Integer.toString(threads)));
        command.addAll(List.of(options));
        command.addAll(arguments);
        Path log = Files.createTempFile("meridian-llama", ".log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectInput(new File("/dev/null"));
        Process process = program.equals(batched)
                ? builder.redirectErrorStream(true).start()
                : builder.redirectError(log.toFile()).start();
        try {
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(TASK_MINUTES, TimeUnit.MINUTES) || process.exitValue() != 0) {
                throw new MeasurementFailed(
                        String.join(" ", command) + " failed:\n" + end(text + Files.readString(log)));
            }
            return text;
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(log);
        }
    }

    private static String end(String text) {
        return text.substring(Math.max(0, text.length() - KEPT_CHARACTERS));
    }

    @Override
    public Optional<Resident> resident() {
        return Optional.empty();
    }

    @Override
    public void close() {
        // No process stays.
    }
}
