package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** A client that speaks bytes, for what a polite HTTP library does not do. */
final class RawClient implements AutoCloseable {
    private final Socket socket = new Socket();
    private final StringBuilder received = new StringBuilder();

    RawClient(InetSocketAddress address, int receiveBufferBytes) throws IOException {
        if (receiveBufferBytes > 0) {
            socket.setReceiveBufferSize(receiveBufferBytes);
        }
        socket.setSoTimeout(10_000);
        socket.connect(address);
    }

    RawClient(InetSocketAddress address) throws IOException {
        this(address, 0);
    }

    void post(String path, String body, String... headers) throws IOException {
        StringBuilder request = new StringBuilder("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n");
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        request.append("Content-Type: application/json\r\nContent-Length: ")
                .append(body.length())
                .append("\r\n\r\n")
                .append(body);
        send(request.toString());
    }

    void send(String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
    }

    /** Reads until {@code text} has arrived; returns all that has. */
    String readUntil(String text) throws IOException {
        InputStream in = socket.getInputStream();
        byte[] buffer = new byte[4096];
        int searched = 0;
        while (received.indexOf(text, searched) < 0) {
            searched = Math.max(0, received.length() - text.length());
            int count = in.read(buffer);
            if (count < 0) {
                throw new AssertionError("the server closed before '" + text + "': " + received);
            }
            received.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
        }
        return received.toString();
    }

    /** Reads the first byte that comes. */
    void readOneByte() throws IOException {
        assertThat(socket.getInputStream().read()).as("the first byte").isNotNegative();
    }

    /** Whether nothing has arrived that was not read. */
    boolean hasNothingToRead() throws IOException {
        return socket.getInputStream().available() == 0;
    }

    String readToEnd() throws IOException {
        received.append(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        return received.toString();
    }

    /** What still comes until the server ends the connection, by FIN or RST. */
    String readUntilCutOff() throws IOException {
        try {
            return readToEnd();
        } catch (SocketException e) {
            return received.toString();
        }
    }

    /** Sends what the server takes; false where it refused and closed before it had all. */
    boolean sendUntilCutOff(String bytes) throws IOException {
        try {
            send(bytes);
            return true;
        } catch (SocketException e) {
            return false;
        }
    }

    /** Sends the same bytes again and again, a few each time, until the server answers or ends the connection. */
    void dribble(String bytes) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        socket.setSoTimeout(50);
        while (sendUntilCutOff(bytes) && !answered()) {
            assertThat(System.nanoTime())
                    .as("the server goes on taking bytes; nanoseconds")
                    .isLessThan(deadline);
        }
        socket.setSoTimeout(10_000);
    }

    private boolean answered() throws IOException {
        byte[] buffer = new byte[4096];
        try {
            int count = socket.getInputStream().read(buffer);
            received.append(new String(buffer, 0, Math.max(0, count), StandardCharsets.UTF_8));
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (SocketException e) {
            return true;
        }
    }

    /** Says that nothing more will be sent; the answer can still be read. */
    void endOutput() throws IOException {
        socket.shutdownOutput();
    }

    /** Ends with RST instead of FIN. */
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
