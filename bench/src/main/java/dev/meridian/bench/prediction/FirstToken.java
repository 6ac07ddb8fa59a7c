package dev.meridian.bench.prediction;

import dev.meridian.bench.load.BodySink;
import dev.meridian.bench.load.Connection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** One stream: when its first token came, and whether it had to wait for a load. One thread. */
final class FirstToken implements BodySink {
    private static final Duration SILENCE = Duration.ofSeconds(60);
    private static final String TEXT = "data: {";
    private static final String EMPTY = "\"text\":\"\"";
    private static final String COLD = "\"cold_start\":true";
    private static final String DONE = "data: [DONE]";

    private final long sentNanos = System.nanoTime();
    private long cameNanos;
    private int status;
    private boolean cold;
    private boolean done;
    private String last = "nothing came";

    /**
     * What a client saw.
     *
     * @param micros from the request's sending to its first token
     * @param cold whether the reply says that it waited for a load
     */
    record Seen(long micros, boolean cold) {}

    private FirstToken() {}

    /** Sends a request and reads its reply to the end. Throws IOException where it is not whole. */
    static Seen of(InetSocketAddress edge, String model, int tokens) throws IOException {
        String body = "{\"model\":\"" + model + "\",\"prompt\":[1,2],\"max_tokens\":" + tokens
                + ",\"temperature\":0,\"stream\":true}";
        try (Connection connection = new Connection(edge, SILENCE)) {
            FirstToken sink = new FirstToken();
            connection.exchange("POST", "/v1/completions", body.getBytes(StandardCharsets.US_ASCII), sink, () -> false);
            if (sink.status != 200 || !sink.done || sink.cameNanos == 0) {
                throw new IOException("a stream of " + model + " is not whole: " + sink.last);
            }
            return new Seen((sink.cameNanos - sink.sentNanos) / 1000, sink.cold);
        }
    }

    @Override
    public void status(int code) {
        status = code;
    }

    @Override
    public void line(byte[] bytes, int length) {
        String line = new String(bytes, 0, length, StandardCharsets.UTF_8);
        if (cameNanos == 0 && line.startsWith(TEXT) && !line.contains(EMPTY)) {
            cameNanos = System.nanoTime();
        }
        cold |= line.contains(COLD);
        done |= line.equals(DONE);
        last = line.isEmpty() ? last : line;
    }

    @Override
    public void end() {}
}
