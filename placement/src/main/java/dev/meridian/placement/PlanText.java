package dev.meridian.placement;

import dev.meridian.protocol.cluster.ReplicaId;
import java.time.Duration;
import java.util.Locale;

/** Parts of the steps of a plan, for a person to read. Pure functions. */
final class PlanText {
    private static final long KIBI = 1024;
    private static final int MILLIS_PER_SECOND = 1000;
    private static final int SECONDS_PER_MINUTE = 60;

    private PlanText() {}

    /** {@code 1.5 GiB}; exact below one KiB. */
    static String bytes(long bytes) {
        if (bytes < KIBI) {
            return bytes + " bytes";
        }
        double size = bytes;
        String[] units = {"KiB", "MiB", "GiB", "TiB"};
        int unit = -1;
        while (size >= KIBI && unit < units.length - 1) {
            size /= KIBI;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", size, units[unit]);
    }

    /** {@code 2 replicas}. */
    static String count(long number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    /** {@code 30 s}, or {@code 500 ms}. */
    static String time(Duration time) {
        return time.toMillisPart() == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
    }

    /** {@code 1.2 s}, {@code 250 ms} or {@code 3.5 min}. */
    static String about(long millis) {
        if (millis < MILLIS_PER_SECOND) {
            return millis + " ms";
        }
        double seconds = millis / (double) MILLIS_PER_SECOND;
        return seconds < SECONDS_PER_MINUTE
                ? String.format(Locale.ROOT, "%.1f s", seconds)
                : String.format(Locale.ROOT, "%.1f min", seconds / SECONDS_PER_MINUTE);
    }

    /** What a replica's going means for its streams. */
    static String streams(NodeFacts node, ReplicaId replica, Duration drainDeadline, String goOn) {
        long streams = streams(node, replica);
        return streams == 0
                ? "no stream runs on it now"
                : (streams == 1 ? "1 stream runs" : streams + " streams run") + " on it; those that are not over after "
                        + time(drainDeadline) + " " + goOn;
    }

    /** Sequences that run or wait, as the node said last. */
    static long streams(NodeFacts node, ReplicaId replica) {
        return node.replica(replica)
                .map(status -> (long) status.runningSequences() + status.queueDepth())
                .orElse(0L);
    }
}
