package dev.meridian.engine.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.KvType;
import dev.meridian.builder.ProgressListener;
import dev.meridian.builder.quant.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged bundles, thousands of them, each loaded in a JVM that may die of it: refused with a reason, or loaded
 * and able to speak; never a dead process, a hang, or memory without bound. {@code -Dmeridian.soak=N} runs N times as
 * many. A seed that fails here becomes a case of {@code GraphCheckTest} once it is understood.
 */
class HostileBundleTest {
    private static final int SEEDS = 10_000;
    private static final int SEEDS_OF_ONE_CHILD = 1250;
    private static final int CHILDREN_AT_ONCE = 2;
    /** One seed takes a few hundred milliseconds at most; this is for a machine that does much else. */
    private static final long PATIENCE_SECONDS = 120;
    /** A child that only loads whole bundles peaks at 360 MB; one hostile bundle may not multiply that. */
    private static final long MOST_BYTES = 1L << 30;

    @TempDir
    private Path scratch;

    private List<Path> bundles() throws Exception {
        Path models = Path.of(System.getProperty("meridian.root"), "models");
        List<Path> bundles = new ArrayList<>(List.of(models.resolve("atlas"), models.resolve("atlas-int4")));
        Path stories = Path.of(System.getProperty("meridian.assets", ""), "llm", "TinyStories-656K");
        if (Files.isDirectory(stories)) {
            for (Weights weights : List.of(Weights.F32, Weights.F16, Weights.INT8)) {
                Path out = scratch.resolve("stories-" + weights.label());
                new Importer().run(new ImportRequest(stories, out, weights, KvType.F32), ProgressListener.none());
                bundles.add(out);
            }
        }
        return bundles;
    }

    @Test
    void everyDamagedBundleIsRefusedOrServes() throws Exception {
        List<Path> bundles = bundles();
        int children = SEEDS * Integer.getInteger("meridian.soak", 1) / SEEDS_OF_ONE_CHILD;
        List<Future<List<String>>> running = new ArrayList<>();
        Map<String, Integer> outcomes = new TreeMap<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(CHILDREN_AT_ONCE)) {
            for (int i = 0; i < children; i++) {
                Path bundle = bundles.get(i % bundles.size());
                running.add(pool.submit(child(bundle, (long) i * SEEDS_OF_ONE_CHILD)));
            }
        }
        List<String> faults = new ArrayList<>();
        for (Future<List<String>> child : running) {
            List<String> lines = child.get();
            faults.addAll(faults(lines));
            lines.stream()
                    .filter(line -> !line.startsWith("start "))
                    .forEach(line -> outcomes.merge(line.replaceAll("\\d+ (same )?(\\w+) .*", "$2"), 1, Integer::sum));
        }
        assertThat(faults).as("of %s", outcomes).isEmpty();
        assertThat(outcomes.getOrDefault("served", 0))
                .as("bundles that still load")
                .isGreaterThan(SEEDS / 100);
        assertThat(outcomes.getOrDefault("refused", 0)).isGreaterThan(SEEDS / 2);
    }

    private Callable<List<String>> child(Path bundle, long first) {
        return () -> {
            Path work = Files.createDirectory(scratch.resolve("work-" + first));
            Path lines = scratch.resolve("lines-" + first);
            Path errors = scratch.resolve("errors-" + first);
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
            command.addAll(List.of("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
            command.add("-XX:ErrorFile=" + errors + ".jvm");
            command.add(MutationChild.class.getName());
            command.addAll(List.of(bundle.toString(), work.toString(), lines.toString(), Long.toString(first)));
            command.add(Integer.toString(SEEDS_OF_ONE_CHILD));
            ProcessBuilder builder = new ProcessBuilder(command);
            // Not on the command line: ONNX Runtime 1.29 searches that recursively, and a long one ends the process.
            builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(errors.toFile())
                    .start();
            try {
                awaitEnd(process, lines);
            } finally {
                process.destroyForcibly();
            }
            List<String> said = new ArrayList<>(Files.exists(lines) ? Files.readAllLines(lines) : List.of());
            if (process.waitFor() != 0) {
                said.add("dead " + bundle.getFileName() + " exit " + process.exitValue() + " after "
                        + (said.isEmpty() ? "nothing" : said.getLast()) + ": " + tail(errors));
            }
            said.replaceAll(line -> line.startsWith("end ") || line.startsWith("whole ") || line.startsWith("dead ")
                    ? line
                    : line + " (" + bundle.getFileName() + ")");
            return said;
        };
    }

    /** Waits as long as the lines grow. */
    private static void awaitEnd(Process process, Path lines) throws IOException, InterruptedException {
        long before = -1;
        long now = 0;
        while (now != before) {
            before = now;
            if (process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                return;
            }
            now = Files.exists(lines) ? Files.size(lines) : 0;
        }
    }

    private static String tail(Path file) throws IOException {
        List<String> all = Files.readAllLines(file, java.nio.charset.StandardCharsets.ISO_8859_1);
        return all.stream().skip(Math.max(0, all.size() - 12)).collect(Collectors.joining(" | "));
    }

    private static List<String> faults(List<String> lines) {
        String served = "served ";
        String whole = lines.stream()
                .filter(line -> line.startsWith("whole "))
                .findFirst()
                .orElse("whole nothing")
                .substring("whole ".length());
        List<String> faults = new ArrayList<>();
        if (!whole.startsWith(served)) {
            faults.add("the whole bundle: " + whole);
        }
        for (String line : lines) {
            String[] words = line.split(" ", 4);
            switch (words[0]) {
                case "start", "whole" -> {}
                case "dead" -> faults.add(line);
                case "end" -> {
                    if (Long.parseLong(words[1]) > MOST_BYTES) {
                        faults.add("a child took " + words[1] + " bytes");
                    }
                }
                default -> {
                    boolean same = words[1].equals("same");
                    if (same ? !line.contains(" same " + whole + " (") : !isFine(words[1])) {
                        faults.add(line);
                    }
                }
            }
        }
        return faults;
    }

    /** Damaged weights may make a model whose best logit is no number; its engine stops and says so. */
    private static boolean isFine(String outcome) {
        return outcome.equals("refused") || outcome.equals("served") || outcome.equals("stopped");
    }
}
