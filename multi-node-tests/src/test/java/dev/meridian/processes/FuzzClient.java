package dev.meridian.processes;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Sends a case over a socket of its own and gives back what the server said. */
final class FuzzClient {
    /** Far beyond the server's own timeouts in these tests. */
    private static final int SILENCE_MILLIS = 15_000;

    private FuzzClient() {}

    /**
     * The bytes of all replies, ISO 8859-1, until the server closed, the first reply was complete, or the case's client left.
     *
     * @throws SocketTimeoutException where the server neither answers nor closes
     */
    static String send(FuzzCase request, URI server) throws IOException {
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(SILENCE_MILLIS);
            socket.connect(new InetSocketAddress(server.getHost(), server.getPort()));
            ByteArrayOutputStream received = new ByteArrayOutputStream();
            try {
                write(request, socket.getOutputStream());
                switch (request.behaviour()) {
                    case READ -> read(request, socket.getInputStream(), received, Integer.MAX_VALUE);
                    case CLOSE_AT_ONCE -> {}
                    case CLOSE_AFTER_FIRST_BYTE -> read(request, socket.getInputStream(), received, 1);
                    case RESET -> socket.setSoLinger(true, 0);
                    case HALF_CLOSE -> {
                        socket.shutdownOutput();
                        read(request, socket.getInputStream(), received, Integer.MAX_VALUE);
                    }
                }
            } catch (SocketException _) {
                // The server closed while we still wrote, as it may on seeing the head.
            }
            return received.toString(StandardCharsets.ISO_8859_1);
        }
    }

    private static void write(FuzzCase request, OutputStream out) throws IOException {
        byte[] bytes = request.bytes();
        int size = Math.max(1, Math.ceilDiv(bytes.length, request.pieces()));
        for (int at = 0; at < bytes.length; at += size) {
            out.write(bytes, at, Math.min(size, bytes.length - at));
            out.flush();
        }
    }

    private static void read(FuzzCase request, InputStream in, ByteArrayOutputStream received, int most)
            throws IOException {
        byte[] buffer = new byte[8192];
        boolean head = request.latin1().startsWith("HEAD ");
        while (received.size() < most && !isComplete(received.toString(StandardCharsets.ISO_8859_1), head)) {
            int count = in.read(buffer, 0, Math.min(buffer.length, most - received.size()));
            if (count < 0) {
                return;
            }
            received.write(buffer, 0, count);
        }
    }

    /** Whether the first reply that is no interim one is there as a whole. */
    private static boolean isComplete(String received, boolean headOnly) {
        int start = received.startsWith("HTTP/1.1 100 ") ? received.indexOf("\r\n\r\n") + 4 : 0;
        int end = received.indexOf("\r\n\r\n", start);
        if (end < 0 || headOnly) {
            return end >= 0;
        }
        String head = received.substring(start, end).toLowerCase(Locale.ROOT);
        if (head.contains("transfer-encoding: chunked")) {
            return received.endsWith("\r\n0\r\n\r\n");
        }
        int length = head.indexOf("content-length: ");
        if (length < 0) {
            return head.startsWith("http/1.1 204") || head.startsWith("http/1.1 304");
        }
        String digits = head.substring(length + "content-length: ".length())
                .lines()
                .findFirst()
                .orElse("0");
        return received.length() - end - 4 >= Integer.parseInt(digits.strip());
    }
}
