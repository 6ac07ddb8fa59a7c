package dev.meridian.processes;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * One direction of a connection. What the sender's end gives is taken in at once, up to what a sender's system would keep, and
 * goes out when the {@link Link} has had its time and is not cut. So does the end of it.
 */
final class Pipe {
    private static final int CHUNK = 16 << 10;
    /** As a sender's buffer and what is on the way. */
    private static final int HELD_BYTES = 1 << 20;

    /** Empty bytes are the end of the stream. */
    private static final class Piece {
        final byte[] bytes;
        final long sinceNanos = System.nanoTime();

        Piece(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    /** Whether a connection is broken that a long outage has stalled. */
    interface Fate {
        boolean breaks();
    }

    private final Socket from;
    private final Socket to;
    private final Link link;
    private final Fate fate;
    private final Consumer<byte[]> delivered;
    private final LinkedBlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
    private final Semaphore room = new Semaphore(HELD_BYTES);

    Pipe(Socket from, Socket to, Link link, Fate fate) {
        this.from = from;
        this.to = to;
        this.link = link;
        this.fate = fate;
        delivered = link.newConnection();
    }

    /** Takes in until the sender ends or breaks off, or the connection is broken. */
    void takeIn() {
        byte[] buffer = new byte[CHUNK];
        try {
            InputStream in = from.getInputStream();
            for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
                room.acquire(read);
                pieces.add(new Piece(Arrays.copyOf(buffer, read)));
            }
        } catch (IOException | InterruptedException _) {
            // The other end hears of it like of an end, which is what a node that is gone looks like.
        }
        pieces.add(new Piece(new byte[0]));
    }

    /** Gives out until the end. Where that is not the sender's, the connection is broken: both its ends are reset. */
    void giveOut() {
        try {
            OutputStream out = to.getOutputStream();
            for (Piece piece = arrived(); piece.bytes.length > 0; piece = arrived()) {
                out.write(piece.bytes);
                delivered.accept(piece.bytes);
                room.release(piece.bytes.length);
            }
            to.shutdownOutput();
        } catch (IOException | InterruptedException _) {
            reset(from);
            reset(to);
        } finally {
            room.release(HELD_BYTES); // Whoever takes in shall see that it has ended.
        }
    }

    private Piece arrived() throws IOException, InterruptedException {
        Piece piece = pieces.take();
        link.awaitArrival(piece.sinceNanos);
        if (link.awaitOpen() && fate.breaks()) {
            throw new IOException("forgotten in a long outage");
        }
        return piece;
    }

    static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (SocketException _) {
            // It is closed.
        }
        try {
            socket.close();
        } catch (IOException _) {
            // Then it is gone, too.
        }
    }
}
