package dev.meridian.bench.http;

import dev.meridian.bench.MeasurementFailed;
import dev.meridian.bench.load.Connection;
import dev.meridian.bench.load.ReplyParser;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * All streams of one round from one thread that waits for any of the sockets. Connections are made before the round begins; a
 * request is sent at its time, and a token's time is when the read that brought it returned.
 */
final class StreamClients implements AutoCloseable {
    private static final int BUFFER_BYTES = 65_536;
    private static final int WARM_UP_REQUESTS = 5000;
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Duration spread;
    private final Selector selector;
    private final List<Client> clients = new ArrayList<>();
    private final ByteBuffer direct = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final byte[] bytes = new byte[BUFFER_BYTES];
    private long readAt;
    private long tokens;

    /** One connection and its stream. */
    static final class Client {
        private final SocketChannel channel;
        private final byte[] request;
        private final ReplyParser parser = new ReplyParser();
        private final TokenStream stream;
        private long sentNanos;

        Client(SocketChannel channel, byte[] request, TokenStream stream) {
            this.channel = channel;
            this.request = request;
            this.stream = stream;
        }

        TokenStream stream() {
            return stream;
        }

        long sentNanos() {
            return sentNanos;
        }
    }

    /** As many connections as {@code streams}; the requests of {@code tokens} tokens are sent evenly over {@code spread}. */
    StreamClients(int streams, int tokens, Duration spread, InetSocketAddress api) throws IOException {
        this.spread = spread;
        selector = Selector.open();
        for (int number = 0; number < streams; number++) {
            SocketChannel channel = SocketChannel.open();
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.connect(api);
            channel.configureBlocking(false);
            byte[] body = ("{\"model\":\"" + Script.MODEL + "\",\"prompt\":[1," + number + "],\"max_tokens\":" + tokens
                            + ",\"temperature\":0,\"stream\":true}")
                    .getBytes(StandardCharsets.US_ASCII);
            Client client = new Client(
                    channel,
                    Connection.request("POST", "/v1/completions", api, body),
                    new TokenStream(number, tokens, () -> readAt));
            channel.register(selector, SelectionKey.OP_READ, client);
            clients.add(client);
        }
    }

    /** Requests of one token, until the server has compiled what begins a stream; a round's own are too few for that. */
    static void warmUp(int streams, InetSocketAddress api) throws IOException {
        for (int sent = 0; sent < WARM_UP_REQUESTS; sent += streams) {
            try (StreamClients clients = new StreamClients(streams, 1, Duration.ZERO, api)) {
                clients.run((_, _) -> {});
            }
        }
    }

    List<Client> clients() {
        return clients;
    }

    /** Tokens that have come so far. */
    long tokens() {
        return tokens;
    }

    /** Runs the round to its end; {@code clock} is told the time at every turn, to take what it measures at its times. */
    void run(RoundClock clock) throws IOException {
        long start = System.nanoTime();
        long apart = spread.toNanos() / clients.size();
        int sent = 0;
        int running = clients.size();
        long lastRead = start;
        while (running > 0) {
            long now = System.nanoTime();
            clock.at(now - start, tokens);
            while (sent < clients.size() && now - start >= sent * apart) {
                send(clients.get(sent++));
            }
            long due = sent < clients.size() ? sent * apart - (now - start) : TimeUnit.MILLISECONDS.toNanos(50);
            if (due >= TimeUnit.MILLISECONDS.toNanos(1)) {
                selector.select(TimeUnit.NANOSECONDS.toMillis(due));
            } else {
                selector.selectNow();
            }
            for (SelectionKey key : selector.selectedKeys()) {
                if (!read((Client) key.attachment())) {
                    key.cancel();
                    running--;
                }
                lastRead = readAt;
            }
            selector.selectedKeys().clear();
            if (System.nanoTime() - lastRead > SILENCE_NANOS) {
                throw new MeasurementFailed(running + " streams run and nothing came for 30 s");
            }
        }
    }

    private static void send(Client client) throws IOException {
        ByteBuffer request = ByteBuffer.wrap(client.request);
        client.sentNanos = System.nanoTime();
        while (request.hasRemaining()) {
            client.channel.write(request);
        }
    }

    /** False where the stream has come to its end. */
    private boolean read(Client client) throws IOException {
        direct.clear();
        int count = client.channel.read(direct);
        readAt = System.nanoTime();
        if (count < 0) {
            client.stream.broken();
            return false;
        }
        direct.flip();
        direct.get(bytes, 0, count);
        int before = client.stream.received();
        client.parser.feed(bytes, 0, count, client.stream);
        tokens += client.stream.received() - before;
        return !client.parser.isDone();
    }

    @Override
    public void close() throws IOException {
        for (Client client : clients) {
            client.channel.close();
        }
        selector.close();
    }

    /** Told where the round stands. */
    interface RoundClock {
        void at(long nanosSinceStart, long tokens);
    }
}
