package dev.meridian.bench.http;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** CPU time of servers and generator, and tokens, between two moments of a round. */
final class CpuWindow implements StreamClients.RoundClock {
    private final List<ProcessHandle> servers;
    private final long fromNanos;
    private final long toNanos;
    private @Nullable Reading first;
    private @Nullable Reading last;

    private record Reading(long serverNanos, long ownNanos, long tokens) {}

    /** From the moment at which all streams have started to the one before the first ends. */
    CpuWindow(List<ProcessHandle> servers, HttpPlan plan) {
        this.servers = List.copyOf(servers);
        fromNanos = TimeUnit.SECONDS.toNanos(plan.spreadSeconds());
        toNanos = TimeUnit.SECONDS.toNanos(plan.seconds());
    }

    @Override
    public void at(long nanosSinceStart, long tokens) {
        if (first == null && nanosSinceStart >= fromNanos) {
            first = read(tokens);
        } else if (last == null && nanosSinceStart >= toNanos) {
            last = read(tokens);
        }
    }

    private Reading read(long tokens) {
        return new Reading(
                servers.stream().mapToLong(CpuWindow::cpuNanos).sum(), cpuNanos(ProcessHandle.current()), tokens);
    }

    /** User and system time of a process; on Linux of /proc, in steps of 10 ms. */
    static long cpuNanos(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
    }

    double serverNanosPerToken() {
        return first == null || last == null
                ? Double.NaN
                : (last.serverNanos() - first.serverNanos()) / (double) (last.tokens() - first.tokens());
    }

    double generatorNanosPerToken() {
        return first == null || last == null
                ? Double.NaN
                : (last.ownNanos() - first.ownNanos()) / (double) (last.tokens() - first.tokens());
    }
}
