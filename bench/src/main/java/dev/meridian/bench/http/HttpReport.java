package dev.meridian.bench.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/**
 * What {@code bench http} found; docs/benchmarks.md describes the fields.
 *
 * @param bareCpu microseconds of CPU for each token of the same engine without actors and HTTP
 * @param rounds that count
 * @param median of the rounds, each value on its own; counts are sums, over the warm-up rounds, too
 */
record HttpReport(
        int streams, int rate, int seconds, int spreadSeconds, double bareCpu, Round median, List<Round> rounds) {
    static HttpReport of(HttpPlan plan, double bareCpu, List<Round> all) {
        return new HttpReport(
                plan.streams(),
                plan.rate(),
                plan.seconds(),
                plan.spreadSeconds(),
                bareCpu,
                Round.median(all, plan.warmUps()),
                all.subList(plan.warmUps(), all.size()));
    }

    /** Microseconds of CPU that HTTP and actors add to a token. */
    @JsonProperty
    double addedCpu() {
        return median.serverCpu() - bareCpu;
    }

    /** Every token came once, in order, as it was made, and the clocks can be compared. */
    @JsonProperty
    boolean whole() {
        return median.whole();
    }

    void print(PrintWriter out) {
        out.printf(
                "%d streams of %d tok/s for %d s, started over %d s; median of %d rounds%n",
                streams, rate, seconds, spreadSeconds, rounds.size());
        out.printf(
                "%d tokens: %d lost, %d doubled, %d changed; %d streams with clocks that disagree%n%n",
                median.tokens(), median.lost(), median.doubled(), median.changed(), median.clockFaults());
        out.printf("%-28s %10s %10s %10s%n", "added by HTTP and actors", "p50 ms", "p99 ms", "max ms");
        line(out, "to the first token", median.firstTokenP50(), median.firstTokenP99(), Double.NaN);
        line(out, "to a token", median.tokenP50(), median.tokenP99(), median.tokenMax());
        line(out, "to a gap (jitter)", median.jitterP50(), median.jitterP99(), Double.NaN);
        out.printf("%n%-28s %10s%n", "CPU", "us/token");
        cpu(out, "server", median.serverCpu());
        cpu(out, "bare", bareCpu);
        cpu(out, "added by HTTP and actors", addedCpu());
        cpu(out, "load generator", median.generatorCpu());
    }

    private static void line(PrintWriter out, String name, double p50, double p99, double max) {
        String last = Double.isNaN(max) ? "-" : String.format(Locale.ROOT, "%.3f", max);
        out.printf(Locale.ROOT, "%-28s %10.3f %10.3f %10s%n", name, p50, p99, last);
    }

    private static void cpu(PrintWriter out, String name, double micros) {
        out.printf(Locale.ROOT, "%-28s %10.1f%n", name, micros);
    }
}
