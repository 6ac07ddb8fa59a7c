package dev.meridian.processes;

import dev.meridian.bench.http.Script;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** A client of the scripted model that reads as much of its stream as it is told to, and leaves when it is told to. */
final class RawStream implements AutoCloseable {
    private static final int MILLIS = 30_000;
    /** So that what is not read stays at the server's side. */
    private static final int RECEIVE_BUFFER = 4 << 10;

    private static final String SERVED = "HTTP/1.1 200 ";

    private final Socket socket = new Socket();

    private RawStream() {}

    /**
     * Sends a request.
     *
     * @param more of its fields, each with a comma behind it
     */
    static RawStream open(URI api, int start, int tokens, String more) throws IOException {
        RawStream stream = new RawStream();
        try {
            stream.socket.setReceiveBufferSize(RECEIVE_BUFFER);
            stream.socket.setSoTimeout(MILLIS);
            stream.socket.connect(new InetSocketAddress(api.getHost(), api.getPort()), MILLIS);
            stream.ask(api, start, tokens, more);
            return stream;
        } catch (IOException e) {
            stream.close();
            throw e;
        }
    }

    private void ask(URI api, int start, int tokens, String more) throws IOException {
        String body = "{" + more + "\"model\":\"" + Script.MODEL + "\",\"prompt\":[1," + start + "],\"max_tokens\":"
                + tokens + ",\"temperature\":0,\"stream\":true}";
        String request = "POST /v1/completions HTTP/1.1\r\nHost: " + api.getAuthority()
                + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    }

    /** Waits for the next bytes and reads some of them, at most so many; false at the end. */
    boolean read(int atMost) throws IOException {
        return socket.getInputStream().read(new byte[atMost]) > 0;
    }

    /** Reads the first line; empty where it is that of a stream, else what came instead. */
    String refusal() throws IOException {
        byte[] line = socket.getInputStream().readNBytes(SERVED.length());
        if (new String(line, StandardCharsets.US_ASCII).equals(SERVED)) {
            return "";
        }
        byte[] more = new byte[1024];
        int read = Math.max(0, socket.getInputStream().read(more));
        return new String(line, StandardCharsets.US_ASCII) + new String(more, 0, read, StandardCharsets.US_ASCII);
    }

    /** Leaves with a reset instead of an end. */
    void reset() {
        Pipe.reset(socket);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
