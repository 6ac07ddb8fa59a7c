package dev.meridian.bench.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/**
 * What {@code bench cluster} found; docs/benchmarks.md describes the fields.
 *
 * @param local medians of the rounds whose streams enter at the node that feeds them
 * @param remote of those that enter at the other node
 * @param localRounds that count
 * @param remoteRounds that count
 * @param startMillis from the start of the first node's process until it is ready
 * @param rssBytes of the node that feeds and of the other one, at the end
 */
record ClusterReport(
        int streams,
        int rate,
        int seconds,
        int spreadSeconds,
        Round local,
        Round remote,
        List<Round> localRounds,
        List<Round> remoteRounds,
        long startMillis,
        List<Long> rssBytes) {
    ClusterReport {
        localRounds = List.copyOf(localRounds);
        remoteRounds = List.copyOf(remoteRounds);
        rssBytes = List.copyOf(rssBytes);
    }

    /** Milliseconds that the way between the nodes adds to the first token, of the medians. */
    @JsonProperty
    double addedFirstTokenP50() {
        return remote.firstTokenP50() - local.firstTokenP50();
    }

    /** The same of any token: a hop. */
    @JsonProperty
    double hopP50() {
        return remote.tokenP50() - local.tokenP50();
    }

    @JsonProperty
    double hopP99() {
        return remote.tokenP99() - local.tokenP99();
    }

    @JsonProperty
    boolean whole() {
        return local.whole() && remote.whole();
    }

    void print(PrintWriter out) {
        out.printf(
                "%d streams of %d tok/s for %d s, started over %d s; medians of %d rounds each%n",
                streams, rate, seconds, spreadSeconds, localRounds.size());
        out.printf(
                "%d tokens: %d lost, %d doubled, %d changed%n%n",
                local.tokens() + remote.tokens(),
                local.lost() + remote.lost(),
                local.doubled() + remote.doubled(),
                local.changed() + remote.changed());
        out.printf("%-34s %10s %10s %10s%n", "ms", "local", "remote", "added");
        line(out, "first token, p50", local.firstTokenP50(), remote.firstTokenP50());
        line(out, "first token, p99", local.firstTokenP99(), remote.firstTokenP99());
        line(out, "token, p50", local.tokenP50(), remote.tokenP50());
        line(out, "token, p99", local.tokenP99(), remote.tokenP99());
        line(out, "gap (jitter), p99", local.jitterP99(), remote.jitterP99());
        line(out, "CPU of all nodes, us/token", local.serverCpu(), remote.serverCpu());
        out.printf(
                "%nready after %d ms; resident memory %d MB where the model is, %d MB at the other node%n",
                startMillis, rssBytes.getFirst() / 1_000_000, rssBytes.getLast() / 1_000_000);
    }

    private static void line(PrintWriter out, String name, double here, double there) {
        out.printf(Locale.ROOT, "%-34s %10.3f %10.3f %10.3f%n", name, here, there, there - here);
    }
}
