package dev.meridian.actors;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * {@code meridian.host}; see reference.conf.
 *
 * @param heartbeatInterval how often each edge with live attempts hears of them
 * @param prepareCapacity prompts that may be templated and tokenised at a time or wait for it
 * @param resendWindow how long the entries of an ended attempt are kept for a Resend
 * @param resendEntries newest entries of each choice that can be sent again
 * @param resendBytes estimated heap bytes of all entries that can be sent again; the oldest go first
 * @param resendAttempts ended attempts whose entries are kept; the eldest goes first
 * @param handOver how long edges have to move streams away from a replica that is about to stop
 * @param rememberedRequests requests whose newest attempt is remembered, so that a late older one is refused
 */
public record HostSettings(
        Duration heartbeatInterval,
        int prepareCapacity,
        Duration resendWindow,
        int resendEntries,
        long resendBytes,
        int resendAttempts,
        Duration handOver,
        int rememberedRequests) {
    public HostSettings {
        if (!heartbeatInterval.isPositive() || !resendWindow.isPositive() || !handOver.isPositive()) {
            throw new IllegalArgumentException(
                    "meridian.host: heartbeat-interval, resend-window and hand-over must be positive");
        }
        if (prepareCapacity < 1
                || resendEntries < 1
                || resendBytes < 1
                || resendAttempts < 1
                || rememberedRequests < 1) {
            throw new IllegalArgumentException("meridian.host: prepare-capacity, resend-entries, resend-bytes,"
                    + " resend-attempts and remembered-requests must be positive");
        }
    }

    /** Reads the whole configuration's {@code meridian.host}. */
    public static HostSettings from(Config config) {
        Config host = config.getConfig("meridian.host");
        return new HostSettings(
                host.getDuration("heartbeat-interval"),
                host.getInt("prepare-capacity"),
                host.getDuration("resend-window"),
                host.getInt("resend-entries"),
                host.getBytes("resend-bytes"),
                host.getInt("resend-attempts"),
                host.getDuration("hand-over"),
                host.getInt("remembered-requests"));
    }
}
