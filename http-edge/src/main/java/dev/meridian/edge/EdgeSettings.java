package dev.meridian.edge;

import com.typesafe.config.Config;
import dev.meridian.edge.access.AccessSettings;
import dev.meridian.edge.stream.StreamSettings;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;

/**
 * The edge's settings; {@code meridian.edge} in reference.conf says what each means. Read once, at start.
 *
 * @param adminPort empty where operators have no port here
 * @param access who may use the ports
 * @param streams timeouts and bounds of streams
 */
public record EdgeSettings(
        String clientHost,
        int clientPort,
        String adminHost,
        OptionalInt adminPort,
        AccessSettings access,
        int maxBodyBytes,
        Duration bodyReadTimeout,
        int maxMessages,
        int maxConnections,
        int sendBufferBytes,
        Duration idleTimeout,
        Duration requestDeadline,
        Duration commentInterval,
        Duration readyTimeout,
        Duration readyCache,
        Duration resumeLimit,
        StreamSettings streams) {
    /** With the tokens that a stream may have got, what a replica is sent stays below the transport's frame size. */
    private static final int MOST_BODY_BYTES = 4 << 20;

    private static final int JOURNAL_SHARE_OF_HEAP = 4;
    private static final int STREAM_SHARE_OF_JOURNALS = 4;

    public EdgeSettings {
        requirePort(clientPort, "client-port");
        adminPort.ifPresent(port -> requirePort(port, "admin-port"));
        if (maxBodyBytes < 1 || maxMessages < 1 || maxConnections < 1 || sendBufferBytes < 1) {
            throw new IllegalArgumentException(
                    "max-body-bytes, max-messages, max-connections and send-buffer are at least 1");
        }
        if (maxBodyBytes > MOST_BODY_BYTES) {
            throw new IllegalArgumentException("max-body-bytes " + maxBodyBytes + ", expected at most "
                    + MOST_BODY_BYTES + ", which fits a message to a replica");
        }
        if (resumeLimit.isNegative()) {
            throw new IllegalArgumentException("resume-limit is at least 0");
        }
        for (Duration duration :
                List.of(bodyReadTimeout, idleTimeout, requestDeadline, commentInterval, readyTimeout, readyCache)) {
            if (!duration.isPositive()) {
                throw new IllegalArgumentException("every duration of the edge must be positive");
            }
        }
    }

    private static long autoBytes(Config edge, String key, long auto) {
        return edge.getString(key).equals("auto") ? auto : edge.getBytes(key);
    }

    private static void requirePort(int port, String name) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException(name + " " + port + ", expected 0 to 65535");
        }
    }

    /**
     * Reads {@code meridian.edge}.
     *
     * @param root the whole configuration, with reference.conf behind it
     * @throws com.typesafe.config.ConfigException naming the key that is missing or wrong
     */
    public static EdgeSettings of(Config root) {
        Config edge = root.getConfig("meridian.edge");
        long journalBytes =
                autoBytes(edge, "max-journal-bytes", Runtime.getRuntime().maxMemory() / JOURNAL_SHARE_OF_HEAP);
        StreamSettings streams = new StreamSettings(
                edge.getDuration("watchdog-interval"),
                edge.getDuration("accept-timeout"),
                edge.getDuration("heartbeat-silence"),
                edge.getDuration("step-stall"),
                edge.getInt("max-attempts"),
                edge.getInt("max-resends"),
                edge.getDuration("replica-wait"),
                edge.getInt("failovers-per-second"),
                edge.getInt("max-streams"),
                journalBytes,
                autoBytes(
                        edge,
                        "max-stream-journal-bytes",
                        Math.min(journalBytes / STREAM_SHARE_OF_JOURNALS, StreamSettings.MOST_STREAM_JOURNAL_BYTES)),
                edge.getDuration("reader-stall"));
        return new EdgeSettings(
                edge.getString("client-host"),
                edge.getInt("client-port"),
                edge.getString("admin-host"),
                edge.getString("admin-port").equals("off")
                        ? OptionalInt.empty()
                        : OptionalInt.of(edge.getInt("admin-port")),
                AccessSettings.of(edge),
                Math.toIntExact(edge.getBytes("max-body-bytes")),
                edge.getDuration("body-read-timeout"),
                edge.getInt("max-messages"),
                edge.getInt("max-connections"),
                Math.toIntExact(edge.getBytes("send-buffer")),
                edge.getDuration("idle-timeout"),
                edge.getDuration("request-deadline"),
                edge.getDuration("comment-interval"),
                edge.getDuration("ready-timeout"),
                edge.getDuration("ready-cache"),
                edge.getDuration("resume-limit"),
                streams);
    }
}
