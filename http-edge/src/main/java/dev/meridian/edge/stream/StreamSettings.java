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
 * @param maxAttempts attempts a request may use
 * @param maxResends gaps an attempt may report before the next attempt starts
 * @param maxStreams streams at a time
 * @param maxJournalBytes no new stream starts while unread entries of all streams hold more
 */
public record StreamSettings(
        Duration tick,
        Duration acceptTimeout,
        Duration heartbeatSilence,
        Duration stepStall,
        int maxAttempts,
        int maxResends,
        int maxStreams,
        long maxJournalBytes) {
    public StreamSettings {
        requirePositive(tick, "tick");
        requirePositive(acceptTimeout, "accept timeout");
        requirePositive(heartbeatSilence, "heartbeat silence");
        requirePositive(stepStall, "step stall");
        if (maxAttempts < 1 || maxResends < 0 || maxStreams < 1 || maxJournalBytes < 1) {
            throw new IllegalArgumentException(
                    "attempts, streams and journal bytes are at least 1, resends at least 0");
        }
    }

    private static void requirePositive(Duration duration, String name) {
        if (!duration.isPositive()) {
            throw new IllegalArgumentException(name + " " + duration + " is not positive");
        }
    }
}
