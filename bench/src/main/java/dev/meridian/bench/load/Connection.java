package dev.meridian.bench.load;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** A client's connection that blocks: for virtual threads, one request at a time. */
public final class Connection implements Closeable {
    private static final int CONNECT_MILLIS = 10_000;

    private final Socket socket = new Socket();
    private final InetSocketAddress address;
    private final ReplyParser parser = new ReplyParser();
    private final byte[] buffer = new byte[16_384];

    /**
     * Connects.
     *
     * @param silence how long a reply may pause
     */
    public Connection(InetSocketAddress address, Duration silence) throws IOException {
        this.address = address;
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) silence.toMillis());
            socket.connect(address, CONNECT_MILLIS);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** The bytes of a request. */
    public static byte[] request(String method, String path, InetSocketAddress host, byte[] body) {
        String head = method + " " + path + " HTTP/1.1\r\nHost: " + host.getHostString() + ":" + host.getPort() + "\r\n"
                + (body.length == 0
                        ? "\r\n"
                        : "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n");
        byte[] ascii = head.getBytes(StandardCharsets.US_ASCII);
        byte[] all = new byte[ascii.length + body.length];
        System.arraycopy(ascii, 0, all, 0, ascii.length);
        System.arraycopy(body, 0, all, ascii.length, body.length);
        return all;
    }

    /**
     * Sends a request and hands the reply over until it is complete or {@code leaves} says that the client goes away.
     *
     * @return whether the connection may be used again; close it otherwise
     */
    public boolean exchange(String method, String path, byte[] body, BodySink sink, BooleanSupplier leaves)
            throws IOException {
        socket.getOutputStream().write(request(method, path, address, body));
        InputStream in = socket.getInputStream();
        parser.reset();
        while (!parser.isDone()) {
            int read = in.read(buffer);
            if (read < 0) {
                throw new EOFException("the server closed the connection within a reply");
            }
            parser.feed(buffer, 0, read, sink);
            if (leaves.getAsBoolean()) {
                return false;
            }
        }
        return parser.isReusable();
    }

    /** The body of a GET. Throws IOException where the status is not 200. */
    public static String get(InetSocketAddress address, String path, Duration silence) throws IOException {
        StringBuilder text = new StringBuilder();
        int[] status = new int[1];
        BodySink sink = new BodySink() {
            @Override
            public void status(int code) {
                status[0] = code;
            }

            @Override
            public void line(byte[] bytes, int length) {
                text.append(new String(bytes, 0, length, StandardCharsets.UTF_8))
                        .append('\n');
            }

            @Override
            public void end() {}
        };
        try (Connection connection = new Connection(address, silence)) {
            connection.exchange("GET", path, new byte[0], sink, () -> false);
        }
        if (status[0] != 200) {
            throw new IOException("GET " + path + ": status " + status[0]);
        }
        return text.toString();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException _) {
            // The file descriptor is gone in any case.
        }
    }
}
