package dev.meridian.edge.stream;

import java.time.Duration;

/**
 * Bounds and timeouts of the mux; see {@code meridian.edge} in reference.conf.
 *
 * @param tick how often timeouts are looked at
 * @param acceptTimeout a Submit without Accepted for this long is sent again as the next attempt, unless heartbeats list
 *     it
 * @param heartbeatSilence an accepted attempt that no heartbeat or entry mentioned for this long is lost; three
 *     times as long without any sign, and its replica is asked again if there is no other
 * @param stepStall an engine whose step number stands still for this long, while it has live attempts, is stuck
 * @param maxAttempts attempts that a request may use for its next token
 * @param maxResends gaps an attempt may report before the next attempt starts
 * @param replicaWait how long a stream whose replica is gone waits for one that takes its place
 * @param failoversPerSecond streams that may leave silent or lost replicas
 * @param maxStreams streams at a time
 * @param maxJournalBytes what entries that no client has got yet, and those that running streams may bring, may hold
 * @param maxStreamJournalBytes what one stream may need of it
 * @param readerStall a client that takes nothing for this long, though there is something, is cut off
 */
public record StreamSettings(
        Duration tick,
        Duration acceptTimeout,
        Duration heartbeatSilence,
        Duration stepStall,
        int maxAttempts,
        int maxResends,
        Duration replicaWait,
        int failoversPerSecond,
        int maxStreams,
        long maxJournalBytes,
        long maxStreamJournalBytes,
        Duration readerStall) {
    /**
     * The most for {@code maxStreamJournalBytes}: a stream of a million tokens. What it has got goes to its next replica in one
     * message, which must stay below the transport's frame size.
     */
    public static final long MOST_STREAM_JOURNAL_BYTES = (1L << 20) * Journal.bytesPerToken(0);

    public StreamSettings {
        requirePositive(tick, "tick");
        requirePositive(acceptTimeout, "accept timeout");
        requirePositive(heartbeatSilence, "heartbeat silence");
        requirePositive(stepStall, "step stall");
        requirePositive(readerStall, "reader stall");
        requirePositive(replicaWait, "replica wait");
        if (failoversPerSecond < 1) {
            throw new IllegalArgumentException("failovers-per-second " + failoversPerSecond + ", expected at least 1");
        }
        if (maxAttempts < 1 || maxResends < 0 || maxStreams < 1 || maxJournalBytes < 1) {
            throw new IllegalArgumentException(
                    "attempts, streams and journal bytes are at least 1, resends at least 0");
        }
        long most = Math.min(maxJournalBytes, MOST_STREAM_JOURNAL_BYTES);
        if (maxStreamJournalBytes < 1 || maxStreamJournalBytes > most) {
            throw new IllegalArgumentException("max-stream-journal-bytes " + maxStreamJournalBytes
                    + ", expected 1 to " + most
                    + (most == maxJournalBytes ? ", which is max-journal-bytes" : ", which is a million tokens"));
        }
    }

    private static void requirePositive(Duration duration, String name) {
        if (!duration.isPositive()) {
            throw new IllegalArgumentException(name + " " + duration + " is not positive");
        }
    }
}
