package dev.meridian.bench.peers;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What {@code bench peers} found; docs/benchmarks.md says what each figure is.
 *
 * @param kernels the code that multiplied in Meridian, such as {@code avx512vnni}; null for ONNX Runtime's
 * @param memoryBytesPerSecond read by as many threads as the engines have; median over the rounds
 * @param weightBytes that a decode step of one sequence reads
 * @param bandwidthFraction what decoding one sequence reads in a second, over what the memory gives
 * @param contenders in the order in which they started
 * @param ratios Meridian over the best peer, by key
 * @param operators of Meridian's passes, the dearest first
 * @param notes what was left out and why
 */
public record PeersReport(
        String shape,
        int threads,
        int rounds,
        @Nullable String kernels,
        double memoryBytesPerSecond,
        long weightBytes,
        double bandwidthFraction,
        List<Row> contenders,
        Map<String, Double> ratios,
        List<StepCosts.Cost> operators,
        List<String> notes) {
    public PeersReport {
        contenders = List.copyOf(contenders);
        operators = List.copyOf(operators);
        notes = List.copyOf(notes);
    }

    /**
     * One contender.
     *
     * @param figures by the task's key
     * @param memory null where it was not measured
     */
    public record Row(String name, Map<String, Figure> figures, Contender.@Nullable Resident memory) {}

    /**
     * One task of one contender.
     *
     * @param unit {@code tok/s} or {@code ms}
     * @param rounds the figure of each round
     */
    public record Figure(String unit, double median, double best, List<Double> rounds) {
        public Figure {
            rounds = List.copyOf(rounds);
        }
    }

    /** A table for people. */
    public void print(PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "shape of %s, 4-bit weights, %d threads, median (best) of %d rounds, %s%n%n",
                shape,
                threads,
                rounds,
                kernels == null ? "ONNX Runtime's kernels" : "kernels " + kernels);
        out.printf("%-28s", "");
        contenders.forEach(row -> out.printf("%20s", row.name()));
        out.println();
        for (Task task : Task.values()) {
            out.printf("%-28s", task.title() + ", " + task.unit());
            contenders.forEach(row -> out.printf("%20s", cell(row.figures().get(task.key()))));
            out.println();
        }
        memoryRow(out, "resident without KV, MB", memory -> memory.bytes());
        memoryRow(out, "  of which own, MB", memory -> memory.ownBytes());
        out.printf(
                Locale.ROOT,
                "%nmemory gives %.1f GB/s; decoding one sequence reads %.0f %% of it (%.0f MB a token)%n%n",
                memoryBytesPerSecond / 1e9,
                100 * bandwidthFraction,
                weightBytes / 1e6);
        out.println("Meridian over the best peer; http: over Meridian's bare engine");
        ratios.forEach((key, ratio) -> out.printf(Locale.ROOT, "  %-12s %7.3f%n", key, ratio));
        out.printf("%nMilliseconds of a pass by operator%n");
        operators.stream()
                .filter(cost -> cost.share() >= 0.01)
                .forEach(cost -> out.printf(
                        Locale.ROOT,
                        "  %-12s %-36s %9.3f  %4.1f %%%n",
                        cost.pass(),
                        cost.operator(),
                        cost.millis(),
                        100 * cost.share()));
        notes.forEach(out::println);
    }

    private void memoryRow(PrintWriter out, String title, ToLongFunction<Contender.Resident> bytes) {
        out.printf("%-28s", title);
        contenders.forEach(row ->
                out.printf("%20s", row.memory() == null ? "-" : Math.round(bytes.applyAsLong(row.memory()) / 1e6)));
        out.println();
    }

    private static String cell(@Nullable Figure figure) {
        return figure == null ? "-" : String.format(Locale.ROOT, "%.1f (%.1f)", figure.median(), figure.best());
    }
}
