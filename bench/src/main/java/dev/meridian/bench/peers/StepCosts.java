package dev.meridian.bench.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.bench.BareLoop;
import dev.meridian.bench.MeasurementFailed;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** How long each kind of operator takes in a forward pass, as ONNX Runtime's profiler says. */
final class StepCosts {
    private static final int STEPS = 32;

    private StepCosts() {}

    /**
     * One kind of operator in one kind of pass.
     *
     * @param pass the key of the task that the pass is of
     * @param operator its name in the graph; {@code (other)} is what no operator accounts for
     * @param millis in a pass, all operators of the kind together; mean over the passes
     * @param share of the pass, 0 to 1
     */
    record Cost(String pass, String operator, double millis, double share) {}

    /** Runs decode steps of 1 and 16 sequences and a prefill, each in a session of its own that is profiled. */
    static List<Cost> measure(CheckedBundle checked, RunnerSettings settings) throws IOException {
        List<Cost> costs = new ArrayList<>();
        for (Task task : List.of(Task.PREFILL_512, Task.DECODE_1, Task.DECODE_16)) {
            Path folder = Files.createTempDirectory("meridian-profile");
            try {
                try (ModelRunner runner = GraphRunners.open(checked, settings.withProfile(folder.resolve("pass")))) {
                    BareLoop loop = new BareLoop(runner, settings.prefillChunk());
                    if (task == Task.PREFILL_512) {
                        loop.prefillMillis(task.count());
                        loop.prefillMillis(task.count());
                    } else {
                        loop.decodeMillis(task.count(), task.filled(), STEPS);
                    }
                }
                costs.addAll(costs(task, onlyFile(folder), task == Task.PREFILL_512 ? 1 : STEPS));
            } finally {
                delete(folder);
            }
        }
        return costs;
    }

    private static Path onlyFile(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findFirst()
                    .orElseThrow(() -> new MeasurementFailed("ONNX Runtime wrote no profile into " + folder));
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    private static List<Cost> costs(Task task, Path profile, int passes) throws IOException {
        return costs(task.key(), JsonMapper.builder().build().readTree(profile.toFile()), passes);
    }

    /** Of the last {@code passes} runs of a profile, whose times are in microseconds; the dearest operator first. */
    static List<Cost> costs(String pass, JsonNode events, int passes) {
        List<JsonNode> runs = new ArrayList<>();
        for (JsonNode event : events) {
            if (event.path("name").asText().equals("model_run")) {
                runs.add(event);
            }
        }
        if (runs.size() < passes) {
            throw new MeasurementFailed("the profile has " + runs.size() + " runs of " + passes);
        }
        runs.sort(Comparator.comparingLong(run -> run.path("ts").asLong()));
        List<JsonNode> counted = runs.subList(runs.size() - passes, runs.size());
        long from = counted.getFirst().path("ts").asLong();
        double whole =
                counted.stream().mapToLong(run -> run.path("dur").asLong()).sum();
        Map<String, Double> sums = new TreeMap<>();
        double named = 0;
        for (JsonNode event : events) {
            boolean isKernel = event.path("cat").asText().equals("Node")
                    && event.path("name").asText().endsWith("_kernel_time");
            if (isKernel && event.path("ts").asLong() >= from) {
                double duration = event.path("dur").asDouble();
                sums.merge(event.path("args").path("op_name").asText(), duration, Double::sum);
                named += duration;
            }
        }
        sums.put("(other)", Math.max(0, whole - named));
        return sums.entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
                .map(sum -> new Cost(pass, sum.getKey(), sum.getValue() / passes / 1e3, sum.getValue() / whole))
                .toList();
    }
}
