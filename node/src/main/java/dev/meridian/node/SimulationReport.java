package dev.meridian.node;

import dev.meridian.placement.simulation.Outcome;
import dev.meridian.placement.simulation.Outcome.RegionOutcome;
import dev.meridian.placement.simulation.Scenario;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What {@code simulate} prints; its components are the keys of the JSON, which docs/placement.md describes.
 *
 * @param scenario the file's name
 * @param seconds for which requests came
 */
record SimulationReport(String scenario, long seed, double seconds, List<PolicyRow> policies) {
    private static final double GIBIBYTE = 1 << 30;

    /** A run under one policy. */
    record PolicyRow(
            String policy,
            long requests,
            long served,
            long failed,
            long coldHits,
            long loads,
            long unloads,
            long loadedBytes,
            double heldGiBHours,
            List<RegionRow> regions) {}

    /** Of the users of a region; percentiles are null where no request got a token. */
    record RegionRow(
            String region,
            long requests,
            long served,
            long failed,
            long coldHits,
            @Nullable Double firstTokenP50Millis,
            @Nullable Double firstTokenP99Millis) {}

    static SimulationReport of(String name, long seed, Scenario scenario, List<Outcome> outcomes) {
        List<PolicyRow> rows = outcomes.stream()
                .map(one -> new PolicyRow(
                        one.policy(),
                        one.requests(),
                        one.served(),
                        one.failed(),
                        one.coldHits(),
                        one.loads(),
                        one.unloads(),
                        one.loadedBytes(),
                        Math.round(one.heldByteHours() / GIBIBYTE * 1000) / 1000.0,
                        one.regions().stream().map(SimulationReport::row).toList()))
                .toList();
        return new SimulationReport(name, seed, scenario.duration().toMillis() / 1000.0, rows);
    }

    private static RegionRow row(RegionOutcome one) {
        return new RegionRow(
                one.region(),
                one.requests(),
                one.served(),
                one.failed(),
                one.coldHits(),
                millis(one.firstTokenP50Micros()),
                millis(one.firstTokenP99Micros()));
    }

    private static @Nullable Double millis(long micros) {
        return micros == Outcome.NONE ? null : micros / 1000.0;
    }

    /** One column for each policy. */
    void print(PrintWriter out) {
        List<String> header = new ArrayList<>(List.of(""));
        policies.forEach(row -> header.add(row.policy()));
        Table table = new Table(
                header, IntStream.rangeClosed(1, policies.size()).boxed().toArray(Integer[]::new));
        line(table, "Requests", row -> count(row.requests()));
        line(table, "Cold hits", row -> count(row.coldHits()) + share(row.coldHits(), row.requests()));
        line(table, "Failed", row -> count(row.failed()) + share(row.failed(), row.requests()));
        line(table, "Loads", row -> count(row.loads()));
        line(table, "Loaded", row -> Bytes.format(row.loadedBytes()));
        line(table, "Unloads", row -> count(row.unloads()));
        line(table, "Memory held", row -> String.format(Locale.ROOT, "%,.1f GiB h", row.heldGiBHours()));
        int regions = policies.isEmpty() ? 0 : policies.getFirst().regions().size();
        for (int i = 0; i < regions; i++) {
            int region = i;
            String name = policies.getFirst().regions().get(i).region();
            line(
                    table,
                    "First token " + name + ", p50",
                    row -> time(row.regions().get(region).firstTokenP50Millis()));
            line(
                    table,
                    "First token " + name + ", p99",
                    row -> time(row.regions().get(region).firstTokenP99Millis()));
        }
        table.print(out);
    }

    private void line(Table table, String name, Function<PolicyRow, String> cell) {
        List<String> cells = new ArrayList<>(List.of(name));
        policies.forEach(row -> cells.add(cell.apply(row)));
        table.row(cells);
    }

    private static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    private static String share(long part, long whole) {
        return part == 0 ? "" : String.format(Locale.ROOT, " (%.2f%%)", 100.0 * part / Math.max(1, whole));
    }

    private static String time(@Nullable Double millis) {
        if (millis == null) {
            return "-";
        }
        return millis < 10_000
                ? String.format(Locale.ROOT, "%.0f ms", millis)
                : String.format(Locale.ROOT, "%.1f s", millis / 1000);
    }
}
