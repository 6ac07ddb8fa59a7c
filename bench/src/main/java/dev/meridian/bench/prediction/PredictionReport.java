package dev.meridian.bench.prediction;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@code bench prediction} found.
 *
 * @param firstTokenMillis of a lone request at a loaded replica, which the simulator is told
 * @param coldTokenMillis of a lone request for a model that is not loaded, which the simulator is told
 * @param simulated by region of the users
 * @param real the same
 */
record PredictionReport(
        double seconds,
        long seed,
        double firstTokenMillis,
        double coldTokenMillis,
        List<Figures> simulated,
        List<Figures> real,
        Ratios ratios) {
    /** @param firstTokenP50Millis of all requests, cold ones too, by nearest rank */
    record Figures(
            String region, long requests, long coldHits, double firstTokenP50Millis, double firstTokenP99Millis) {}

    /**
     * Simulated over real.
     *
     * @param coldHits of all regions together
     * @param firstTokenP50 by region
     */
    record Ratios(double coldHits, Map<String, Double> firstTokenP50) {}

    static PredictionReport of(
            PredictionPlan plan,
            double firstTokenMillis,
            double coldTokenMillis,
            List<Figures> simulated,
            List<Figures> real) {
        Map<String, Double> ratios = new TreeMap<>();
        for (int i = 0; i < real.size(); i++) {
            ratios.put(
                    real.get(i).region(),
                    simulated.get(i).firstTokenP50Millis() / real.get(i).firstTokenP50Millis());
        }
        return new PredictionReport(
                plan.duration().toMillis() / 1e3,
                plan.seed(),
                firstTokenMillis,
                coldTokenMillis,
                simulated,
                real,
                new Ratios((double) coldHits(simulated) / coldHits(real), ratios));
    }

    private static long coldHits(List<Figures> all) {
        return all.stream().mapToLong(Figures::coldHits).sum();
    }

    void print(PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "Four nodes, %d models, %.0f s, seed %d. A lone request: first token after %.1f ms, cold after %.0f ms.%n%n",
                PredictionPlan.MODELS,
                seconds,
                seed,
                firstTokenMillis,
                coldTokenMillis);
        out.printf("%-10s %-6s %10s %10s %12s %12s%n", "", "region", "requests", "cold hits", "p50 ms", "p99 ms");
        simulated.forEach(figures -> print(out, "simulated", figures));
        real.forEach(figures -> print(out, "real", figures));
        out.printf(Locale.ROOT, "%nsimulated / real: cold hits %.2f", ratios.coldHits());
        ratios.firstTokenP50().forEach((region, ratio) -> out.printf(Locale.ROOT, ", p50 of %s %.2f", region, ratio));
        out.println();
    }

    private static void print(PrintWriter out, String name, Figures figures) {
        out.printf(
                Locale.ROOT,
                "%-10s %-6s %10d %10d %12.1f %12.1f%n",
                name,
                figures.region(),
                figures.requests(),
                figures.coldHits(),
                figures.firstTokenP50Millis(),
                figures.firstTokenP99Millis());
    }
}
