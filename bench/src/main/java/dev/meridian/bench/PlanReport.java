package dev.meridian.bench;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/**
 * What {@code bench plan} found.
 *
 * @param rounds calls that count
 * @param maxHeapBytes that the JVM may use
 */
record PlanReport(int nodes, int models, int regions, int rounds, long maxHeapBytes, List<Row> rows) {
    /**
     * A policy.
     *
     * @param firstMillis of the first call, with code that was never run
     * @param medianMillis of those that count
     * @param digest of the plan: an improvement that changes it is none
     */
    record Row(String policy, double firstMillis, double medianMillis, int targets, int changes, String digest) {}

    void print(PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%d nodes, %d models, %d regions; heap of at most %d MB%n%n",
                nodes,
                models,
                regions,
                maxHeapBytes >> 20);
        out.printf(
                Locale.ROOT,
                "%-20s %10s %10s %9s %9s %9s%n",
                "policy",
                "first ms",
                "median ms",
                "targets",
                "changes",
                "digest");
        for (Row row : rows) {
            out.printf(
                    Locale.ROOT,
                    "%-20s %10.1f %10.1f %9d %9d %9s%n",
                    row.policy(),
                    row.firstMillis(),
                    row.medianMillis(),
                    row.targets(),
                    row.changes(),
                    row.digest());
        }
    }
}
