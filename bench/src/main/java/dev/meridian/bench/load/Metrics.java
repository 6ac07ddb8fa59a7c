package dev.meridian.bench.load;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** One reading of a node's {@code /metrics}, in Prometheus' text format. */
public final class Metrics {
    private static final Duration SILENCE = Duration.ofSeconds(20);

    private final Map<String, Double> series;

    private Metrics(Map<String, Double> series) {
        this.series = series;
    }

    public static Metrics read(InetSocketAddress admin) throws IOException {
        return parse(Connection.get(admin, "/metrics", SILENCE));
    }

    static Metrics parse(String text) throws IOException {
        Map<String, Double> series = new HashMap<>();
        for (String line : text.lines().toList()) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            int end = line.indexOf('}') + 1;
            int space = line.indexOf(' ', end);
            if (space < 0) {
                throw new IOException("not a line of /metrics: " + line);
            }
            try {
                series.put(line.substring(0, space), Double.parseDouble(line.substring(space + 1)));
            } catch (NumberFormatException e) {
                throw new IOException("not a line of /metrics: " + line, e);
            }
        }
        return new Metrics(series);
    }

    /** The sum over all series of a meter; NaN where there is none. */
    public double sum(String name) {
        return sum(name, "");
    }

    /** The sum over those series of a meter whose labels contain {@code label}; NaN where there is none. */
    public double sum(String name, String label) {
        return series.entrySet().stream()
                .filter(entry -> entry.getKey().equals(name) || entry.getKey().startsWith(name + "{"))
                .filter(entry -> entry.getKey().contains(label))
                .map(Map.Entry::getValue)
                .reduce(Double::sum)
                .orElse(Double.NaN);
    }
}
