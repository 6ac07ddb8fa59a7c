package dev.meridian.bench.peers;

import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.load.BodySink;
import dev.meridian.bench.load.ChildNode;
import dev.meridian.bench.load.Connection;
import dev.meridian.bench.load.Metrics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A whole node, {@code up --single}: streamed completions over loopback, with scheduler, sampler, detokeniser and actors
 * between. All sequences of a task share their prompt, whose KV cache is there already, so that they begin together. Tokens are
 * counted by the node's metrics while all of them run.
 */
final class HttpContender implements Contender {
    private static final Duration SILENCE = Duration.ofMinutes(2);
    private static final long WINDOW_MILLIS = 3_000;
    private static final long POLL_MILLIS = 20;
    private static final int TOKENS = 4_000;
    private static final String COUNTER = "meridian_engine_decode_tokens_total";

    private final String name;
    private final String model;
    private final int vocabulary;
    private final ChildNode node;
    private final Random random = new Random(1);

    private HttpContender(String name, String model, int vocabulary, ChildNode node) {
        this.name = name;
        this.model = model;
        this.vocabulary = vocabulary;
        this.node = node;
    }

    /**
     * Starts a node.
     *
     * @param models folder with the one bundle
     * @param speculativeTokens {@code meridian.engine.speculative-tokens}
     */
    static HttpContender start(
            String name, Path models, String model, int vocabulary, int threads, int speculativeTokens)
            throws IOException, InterruptedException {
        Path config = Files.createTempFile("meridian-peers", ".conf");
        try {
            Files.writeString(
                    config,
                    String.format(
                            Locale.ROOT,
                            "meridian.engine { threads = %d, slots = 16, context = 8192, speculative-tokens = %d }%n",
                            threads,
                            speculativeTokens));
            ChildNode node = ChildNode.startSingle(List.of("-Xmx1g"), models, config);
            return new HttpContender(name, model, vocabulary, node);
        } finally {
            Files.delete(config);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean measures(Task task) {
        return task.kind() == Task.Kind.DECODE && task != Task.DECODE_8K;
    }

    @Override
    public double run(Task task) throws IOException, InterruptedException {
        int[] prompt = random.ints(task.filled(), 0, vocabulary - 1).toArray();
        Streams streams = new Streams();
        // The prompt's KV cache is there once this is over.
        try (Connection connection = new Connection(node.api(), SILENCE)) {
            streams.read(connection, body(prompt, 1));
        }
        try {
            byte[] body = body(prompt, TOKENS);
            for (int i = 0; i < task.count(); i++) {
                streams.start(body);
            }
            await(streams, task.count());
            double rate = rate();
            streams.throwIfEnded();
            return rate;
        } finally {
            streams.close();
            // The engine learns of clients that went away a little later.
            await(new Streams(), 0);
        }
    }

    /** Returns once so many sequences decode and none waits. */
    private void await(Streams streams, int sequences) throws IOException, InterruptedException {
        long end = System.nanoTime() + SILENCE.toNanos();
        while (true) {
            streams.throwIfEnded();
            Metrics now = Metrics.read(node.admin());
            if (now.sum("meridian_batch_size") == sequences && now.sum("meridian_queue_length") == 0) {
                return;
            }
            if (System.nanoTime() - end > 0) {
                throw new MeasurementFailed(name + ": waited for " + sequences + " streams:\n" + node.output());
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private double rate() throws IOException, InterruptedException {
        double before = counted();
        long start = System.nanoTime();
        TimeUnit.MILLISECONDS.sleep(WINDOW_MILLIS);
        double after = counted();
        return (after - before) * 1e9 / (System.nanoTime() - start);
    }

    private double counted() throws IOException {
        double count = Metrics.read(node.admin()).sum(COUNTER);
        if (Double.isNaN(count)) {
            throw new MeasurementFailed(name + ": /metrics has no " + COUNTER);
        }
        return count;
    }

    private byte[] body(int[] prompt, int tokens) {
        StringBuilder json = new StringBuilder("{\"model\":\"").append(model).append("\",\"prompt\":[");
        for (int i = 0; i < prompt.length; i++) {
            json.append(i == 0 ? "" : ",").append(prompt[i]);
        }
        json.append("],\"stream\":true,\"temperature\":0,\"max_tokens\":")
                .append(tokens)
                .append(",\"logit_bias\":{\"")
                .append(vocabulary - 1)
                .append("\":-100}}");
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Replies that are read on threads of their own until the connections are closed. */
    private final class Streams {
        private final List<Connection> connections = new ArrayList<>();
        private final List<Thread> clients = new ArrayList<>();
        private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
        private volatile boolean closed;

        void start(byte[] body) throws IOException {
            Connection connection = new Connection(node.api(), SILENCE);
            connections.add(connection);
            clients.add(Thread.ofPlatform().daemon().name("stream").start(() -> {
                try {
                    read(connection, body);
                    throw new MeasurementFailed("a reply ended before the measurement did");
                } catch (IOException | RuntimeException e) {
                    if (!closed) {
                        failure.compareAndSet(null, e);
                    }
                }
            }));
        }

        void read(Connection connection, byte[] body) throws IOException {
            Reply reply = new Reply();
            connection.exchange("POST", "/v1/completions", body, reply, () -> false);
            if (reply.status != 200) {
                throw new IOException("status " + reply.status + ": " + reply.text);
            }
        }

        void throwIfEnded() {
            Exception failed = failure.get();
            if (failed != null) {
                throw new MeasurementFailed(name + ": " + failed.getMessage(), failed);
            }
        }

        void close() throws InterruptedException {
            closed = true;
            connections.forEach(Connection::close);
            for (Thread client : clients) {
                client.join();
            }
        }
    }

    /** Keeps a reply's text only where it is an error. */
    private static final class Reply implements BodySink {
        private final StringBuilder text = new StringBuilder();
        private int status;

        @Override
        public void status(int code) {
            status = code;
        }

        @Override
        public void line(byte[] bytes, int length) {
            if (status != 200) {
                text.append(new String(bytes, 0, length, StandardCharsets.UTF_8));
            }
        }

        @Override
        public void end() {}
    }

    @Override
    public Optional<Resident> resident() {
        return Optional.empty();
    }

    @Override
    public void close() {
        node.close();
    }
}
