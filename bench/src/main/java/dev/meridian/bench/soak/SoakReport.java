package dev.meridian.bench.soak;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/**
 * What {@code bench soak} found; docs/benchmarks.md describes the fields.
 *
 * @param lengthScale what the trace's lengths were multiplied by
 * @param timeScale how much faster than in the trace requests came
 * @param capacityRequestsPerSecond measured before, with the same mix
 * @param targetRequestsPerSecond load times capacity
 * @param seconds of the timed load
 */
record SoakReport(
        String bundle,
        String weights,
        String trace,
        int threads,
        int contextTokens,
        double load,
        double lengthScale,
        double timeScale,
        double capacityRequestsPerSecond,
        double targetRequestsPerSecond,
        double seconds,
        Requests requests,
        List<Growth> growth,
        List<String> problems,
        List<Sample> samples) {

    /** What became of the timed load's requests, see {@link Tally}. */
    record Requests(
            long started,
            long completed,
            long left,
            long refused,
            long skipped,
            long failed,
            long wrong,
            long differing,
            long tokens) {
        static Requests of(Tally tally) {
            return new Requests(
                    tally.started.sum(),
                    tally.completed.sum(),
                    tally.left.sum(),
                    tally.refused.sum(),
                    tally.skipped.sum(),
                    tally.failed.sum(),
                    tally.wrong.sum(),
                    tally.differing.sum(),
                    tally.tokens.sum());
        }
    }

    /** No growth, and no request that failed or was answered wrongly. */
    @JsonProperty
    boolean passed() {
        return growth.stream().noneMatch(Growth::grows)
                && requests.failed() == 0
                && requests.wrong() == 0
                && requests.differing() == 0;
    }

    void print(PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%n%s, %s weights, %d threads, context %d; trace %s, lengths x %.3f, %.1f times as fast%n",
                bundle,
                weights,
                threads,
                contextTokens,
                trace,
                lengthScale,
                timeScale);
        out.printf(
                Locale.ROOT,
                "capacity %.1f requests/s; asked for %.1f/s (load %.2f) over %.1f min, %.0f tokens/s came%n%n",
                capacityRequestsPerSecond,
                targetRequestsPerSecond,
                load,
                seconds / 60,
                requests.tokens() / seconds);
        out.printf(
                "%d requests: %d complete and right, %d clients left, %d refused, %d not sent, %d failed, %d wrong,"
                        + " %d with other words than before%n%n",
                requests.started() + requests.skipped(),
                requests.completed(),
                requests.left(),
                requests.refused(),
                requests.skipped(),
                requests.failed(),
                requests.wrong(),
                requests.differing());
        problems.forEach(problem -> out.println("  " + problem));
        out.printf("%-20s %8s %14s %14s %14s %14s%n", "", "samples", "mean", "slope per hour", "its error", "residual");
        for (Growth row : growth) {
            out.printf(
                    Locale.ROOT,
                    "%-20s %8d %14.1f %14.1f %14.1f %14.1f  %s%n",
                    row.quantity(),
                    row.samples(),
                    row.mean(),
                    row.slopePerHour(),
                    row.slopeError(),
                    row.residual(),
                    row.grows() ? "GROWS" : "does not grow");
        }
        out.printf("%n%s%n", passed() ? "passed" : "NOT passed");
    }
}
