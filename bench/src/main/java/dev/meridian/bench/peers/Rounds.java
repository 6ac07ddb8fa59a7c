package dev.meridian.bench.peers;

import dev.meridian.bench.load.Percentiles;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The figures of each contender and task, in the order of the rounds. One thread. */
final class Rounds {
    private final Map<String, Map<Task, List<Double>>> figures = new LinkedHashMap<>();

    void add(String contender, Task task, double figure) {
        figures.computeIfAbsent(contender, _ -> new LinkedHashMap<>())
                .computeIfAbsent(task, _ -> new ArrayList<>())
                .add(figure);
    }

    /** Those that were measured, in the order in which they first were. */
    Set<String> contenders() {
        return figures.keySet();
    }

    boolean has(String contender) {
        return figures.containsKey(contender);
    }

    /** Empty where it was not measured. */
    List<Double> of(String contender, Task task) {
        return figures.getOrDefault(contender, Map.of()).getOrDefault(task, List.of());
    }

    /** NaN where it was not measured. */
    double median(String contender, Task task) {
        return median(of(contender, task));
    }

    static double median(List<Double> values) {
        return values.isEmpty()
                ? Double.NaN
                : Percentiles.median(
                        values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** By the tasks' keys. */
    Map<String, PeersReport.Figure> figures(String contender) {
        Map<String, PeersReport.Figure> all = new LinkedHashMap<>();
        figures.getOrDefault(contender, Map.of()).forEach((task, values) -> {
            double best = values.stream()
                    .reduce(task.isRate() ? Math::max : Math::min)
                    .orElseThrow();
            all.put(task.key(), new PeersReport.Figure(task.unit(), median(values), best, values));
        });
        return all;
    }
}
