package dev.meridian.node;

import dev.meridian.placement.simulation.Outcome;
import dev.meridian.placement.simulation.Timeline;
import dev.meridian.placement.simulation.Timeline.RegionLine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A drawing of simulated runs as SVG: a column for each policy, in it a panel for each region with the replicas that it holds over
 * time, stacked by model, and the requests of its users as a line above them. Panels of a region have the same scales.
 */
final class SimulationChart {
    private static final int LEFT = 96;
    private static final int TOP = 112;
    private static final int WIDTH = 380;
    private static final int DEMAND = 34;
    private static final int STACK = 96;
    private static final int INNER_GAP = 6;
    private static final int GAP = 26;
    private static final int COLUMN_GAP = 28;
    private static final int BOTTOM = 44;
    private static final int PANEL = DEMAND + INNER_GAP + STACK;
    private static final double HOUR_MICROS = 3.6e9;
    /** Okabe and Ito's colours, which people who are colour-blind can tell apart; the last one is for all other models. */
    private static final List<String> COLOURS =
            List.of("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8bcc2");

    private final SimulationReport report;
    private final List<Outcome> outcomes;
    private final StringBuilder svg = new StringBuilder();

    SimulationChart(SimulationReport report, List<Outcome> outcomes) {
        this.report = report;
        this.outcomes = List.copyOf(outcomes);
    }

    String svg() {
        int columns = outcomes.size();
        int regions = outcomes.getFirst().timeline().regions().size();
        int width = LEFT + columns * WIDTH + (columns - 1) * COLUMN_GAP + 24;
        int height = TOP + regions * (PANEL + GAP) - GAP + BOTTOM;
        add(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
                        + " font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"11\""
                        + " fill=\"#3c4149\">",
                width,
                height,
                width,
                height));
        add(String.format(Locale.ROOT, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>", width, height));
        add(String.format(
                Locale.ROOT,
                "<text x=\"24\" y=\"30\" font-size=\"16\" font-weight=\"600\" fill=\"#1b1f24\">%s</text>",
                title()));
        legend();
        for (int column = 0; column < columns; column++) {
            column(column);
        }
        svg.append("</svg>\n");
        return svg.toString();
    }

    private void add(String line) {
        svg.append(line).append('\n');
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private String title() {
        return escaped(report.scenario()) + ", seed " + report.seed()
                + ": replicas held, and requests of each region's users";
    }

    private void legend() {
        Timeline timeline = outcomes.getFirst().timeline();
        int x = 24;
        for (int row = 0; row <= timeline.models().size(); row++) {
            boolean others = row == timeline.models().size();
            if (others && isEmpty(row)) {
                continue;
            }
            String name = others ? "other models" : timeline.models().get(row);
            add(String.format(
                    Locale.ROOT,
                    "<rect x=\"%d\" y=\"48\" width=\"11\" height=\"11\" rx=\"2\" fill=\"%s\"/>",
                    x,
                    colour(row)));
            add(String.format(Locale.ROOT, "<text x=\"%d\" y=\"58\">%s</text>", x + 16, escaped(name)));
            x += 34 + Math.round(6.2f * name.length());
        }
        add(String.format(
                Locale.ROOT,
                "<path d=\"M%d 54h18\" stroke=\"#1b1f24\" stroke-width=\"1.4\" fill=\"none\"/>"
                        + "<text x=\"%d\" y=\"58\">requests/s</text>",
                x,
                x + 23));
        if (outcomes.stream().anyMatch(one -> !one.timeline().downs().isEmpty())) {
            add(String.format(
                    Locale.ROOT,
                    "<rect x=\"%d\" y=\"48\" width=\"11\" height=\"11\" fill=\"#d1242f\" fill-opacity=\"0.18\"/>"
                            + "<text x=\"%d\" y=\"58\">a node is away</text>",
                    x + 96,
                    x + 112));
        }
    }

    private boolean isEmpty(int row) {
        return outcomes.stream()
                .flatMap(one -> one.timeline().regions().stream())
                .allMatch(line -> line.replicas().get(row).stream().allMatch(count -> count == 0));
    }

    private static String colour(int row) {
        return COLOURS.get(Math.min(row, COLOURS.size() - 1));
    }

    private void column(int column) {
        Outcome outcome = outcomes.get(column);
        int x = LEFT + column * (WIDTH + COLUMN_GAP);
        add(String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"86\" font-size=\"13\" font-weight=\"600\" fill=\"#1b1f24\">%s</text>",
                x,
                escaped(outcome.policy())));
        add(String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"102\" fill=\"#6a707a\">%s</text>",
                x,
                String.format(
                        Locale.ROOT,
                        "%,d cold hits, %,d loads, %,.0f GiB h",
                        outcome.coldHits(),
                        outcome.loads(),
                        report.policies().get(column).heldGiBHours())));
        List<RegionLine> lines = outcome.timeline().regions();
        for (int i = 0; i < lines.size(); i++) {
            panel(x, TOP + i * (PANEL + GAP), outcome.timeline(), i, column == 0);
        }
        hours(x, TOP + lines.size() * (PANEL + GAP) - GAP);
    }

    private void panel(int x, int y, Timeline timeline, int region, boolean first) {
        RegionLine line = timeline.regions().get(region);
        int top = y + DEMAND + INNER_GAP;
        int bottom = top + STACK;
        int most = Math.max(1, mostReplicas(region));
        double perSecond = 1e6 / timeline.stepMicros();
        double peak = mostRequests(region) * perSecond;
        add(String.format(
                Locale.ROOT,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#f6f7f9\"/>",
                x,
                top,
                WIDTH,
                STACK));
        for (int tick : ticks(most)) {
            double at = bottom - (double) STACK * tick / most;
            add(String.format(
                    Locale.ROOT,
                    "<path d=\"M%d %.1fh%d\" stroke=\"#dfe2e6\" stroke-width=\"1\" fill=\"none\"/>",
                    x,
                    at,
                    WIDTH));
            if (first) {
                add(String.format(
                        Locale.ROOT,
                        "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"#6a707a\">%d</text>",
                        x - 7,
                        at + 4,
                        tick));
            }
        }
        stack(line, x, bottom, (double) STACK / most);
        for (Timeline.Down down : timeline.downs()) {
            if (down.region().equals(line.region())) {
                double from = xOf(x, down.fromMicros());
                double to = Math.min(x + (double) WIDTH, Math.max(from + 1.5, xOf(x, down.toMicros())));
                add(String.format(
                        Locale.ROOT,
                        "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#d1242f\" fill-opacity=\"0.18\"/>",
                        from,
                        top,
                        to - from,
                        STACK));
            }
        }
        demand(line, x, y + DEMAND, peak == 0 ? 0 : DEMAND * perSecond / peak);
        if (first) {
            add(String.format(
                    Locale.ROOT,
                    "<text x=\"24\" y=\"%d\" font-size=\"13\" font-weight=\"600\" fill=\"#1b1f24\">%s</text>",
                    y + 12,
                    escaped(line.region())));
            add(String.format(
                    Locale.ROOT, "<text x=\"24\" y=\"%d\" fill=\"#6a707a\">peak %s/s</text>", y + 27, rate(peak)));
        }
    }

    private static String rate(double perSecond) {
        return String.format(Locale.ROOT, perSecond < 10 ? "%.2f" : "%.0f", perSecond);
    }

    private int mostReplicas(int region) {
        return outcomes.stream()
                .map(one -> one.timeline().regions().get(region).replicas())
                .flatMapToInt(rows -> IntStream.range(0, rows.getFirst().size())
                        .map(step ->
                                rows.stream().mapToInt(row -> row.get(step)).sum()))
                .max()
                .orElse(0);
    }

    private long mostRequests(int region) {
        return outcomes.stream()
                .flatMap(one -> one.timeline().regions().get(region).requests().stream())
                .mapToLong(count -> count)
                .max()
                .orElse(0);
    }

    private static List<Integer> ticks(int most) {
        int step = 1;
        int[] factors = {2, 5, 10};
        for (int scale = 1; most / step > 4; scale *= 10) {
            for (int factor : factors) {
                step = most / step > 4 ? factor * scale : step;
            }
        }
        int every = step;
        return IntStream.rangeClosed(0, most / every)
                .map(i -> i * every)
                .boxed()
                .toList();
    }

    /** From the first model at the bottom to all others on top. */
    private void stack(RegionLine line, int x, int bottom, double unit) {
        int steps = line.requests().size();
        int[] below = new int[steps];
        for (int row = 0; row < line.replicas().size(); row++) {
            int[] above = below.clone();
            for (int step = 0; step < steps; step++) {
                above[step] += line.replicas().get(row).get(step);
            }
            if (!Arrays.equals(above, below)) {
                List<String> corners = new ArrayList<>(outline(above, x, bottom, unit));
                corners.addAll(outline(below, x, bottom, unit).reversed());
                String path = "M" + String.join("L", corners);
                add(String.format(
                        Locale.ROOT,
                        "<path d=\"%sZ\" fill=\"%s\" shape-rendering=\"crispEdges\"/>",
                        path,
                        colour(row)));
            }
            below = above;
        }
    }

    /** Corners of a staircase from left to right, one for each end of a level part. */
    private static List<String> outline(int[] heights, int x, int bottom, double unit) {
        double wide = (double) WIDTH / heights.length;
        List<String> corners = new ArrayList<>();
        int from = 0;
        for (int step = 1; step <= heights.length; step++) {
            if (step == heights.length || heights[step] != heights[from]) {
                corners.add(corner(x + from * wide, bottom - heights[from] * unit));
                corners.add(corner(x + step * wide, bottom - heights[from] * unit));
                from = step;
            }
        }
        return corners;
    }

    private static String corner(double x, double y) {
        return String.format(Locale.ROOT, "%.1f %.1f", x, y);
    }

    private void demand(RegionLine line, int x, int bottom, double unit) {
        int steps = line.requests().size();
        double wide = (double) WIDTH / steps;
        List<String> corners = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            corners.add(corner(x + (step + 0.5) * wide, bottom - line.requests().get(step) * unit));
        }
        String path = "M" + String.join("L", corners);
        add(String.format(
                Locale.ROOT,
                "<path d=\"%s\" stroke=\"#1b1f24\" stroke-width=\"1.2\" stroke-linejoin=\"round\" fill=\"none\"/>",
                path));
        add(String.format(
                Locale.ROOT,
                "<path d=\"M%d %dh%d\" stroke=\"#c9cdd3\" stroke-width=\"1\" fill=\"none\"/>",
                x,
                bottom,
                WIDTH));
    }

    private double xOf(int x, long micros) {
        return x + WIDTH * Math.min(1, micros / (report.seconds() * 1e6));
    }

    /** Marks of time below a column. */
    private void hours(int x, int y) {
        double hours = report.seconds() * 1e6 / HOUR_MICROS;
        double every = Arrays.stream(new double[] {1 / 60.0, 1 / 12.0, 0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 168})
                .filter(step -> hours / step <= 8)
                .findFirst()
                .orElse(hours);
        for (int i = 0; i * every <= hours + 1e-9; i++) {
            double at = x + WIDTH * (i * every / hours);
            add(String.format(
                    Locale.ROOT,
                    "<path d=\"M%.1f %dv4\" stroke=\"#9aa0a8\" stroke-width=\"1\" fill=\"none\"/>",
                    at,
                    y));
            String anchor = i == 0 ? "start" : at > x + WIDTH - 12 ? "end" : "middle";
            add(String.format(
                    Locale.ROOT,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\" fill=\"#6a707a\">%s</text>",
                    at,
                    y + 17,
                    anchor,
                    every < 1 ? Math.round(i * every * 60) + " min" : Math.round(i * every) + " h"));
        }
    }
}
