package dev.meridian.bench.load;

/** Gets a reply piece by piece, on the thread that reads the socket. */
public interface BodySink {
    void status(int code);

    /** A line of the body without its line feed; the bytes are the parser's and change after the call. */
    void line(byte[] bytes, int length);

    /** The reply is complete. */
    void end();
}
