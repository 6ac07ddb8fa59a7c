package dev.meridian.bench.load;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * Reads HTTP/1.1 replies from whatever pieces the socket gives, with a body of known length or in chunks (RFC 9112), and
 * cuts the body into lines. One reply at a time: a second one before {@link #reset} is refused. One thread.
 */
public final class ReplyParser {
    private static final int MOST_LINE_BYTES = 16 << 20;

    private enum State {
        STATUS,
        HEADER,
        FIXED,
        SIZE,
        CHUNK,
        CHUNK_END,
        TRAILER,
        DONE
    }

    private State state = State.STATUS;
    private byte[] head = new byte[256];
    private int headLength;
    private byte[] line = new byte[1024];
    private int lineLength;
    /** Bytes of the body or of the chunk that are still to come; -1 where no header has said. */
    private long left = -1;

    private boolean chunked;
    private boolean keepAlive = true;

    /** Reads {@code bytes[from..to)}. Throws MalformedReply naming what was wrong; the connection is of no use then. */
    public void feed(byte[] bytes, int from, int to, BodySink sink) throws MalformedReply {
        int at = from;
        while (at < to) {
            at = switch (state) {
                case FIXED, CHUNK -> body(bytes, at, to, sink);
                case STATUS, HEADER, SIZE, CHUNK_END, TRAILER -> protocol(bytes, at, to, sink);
                case DONE -> throw new MalformedReply((to - at) + " bytes behind the end of the reply");
            };
        }
    }

    public boolean isDone() {
        return state == State.DONE;
    }

    /** Whether the connection may carry another request. */
    public boolean isReusable() {
        return isDone() && keepAlive;
    }

    /** Ready for the next reply of the connection. */
    public void reset() {
        state = State.STATUS;
        headLength = 0;
        lineLength = 0;
        left = -1;
        chunked = false;
        keepAlive = true;
    }

    private int body(byte[] bytes, int from, int to, BodySink sink) throws MalformedReply {
        int end = (int) Math.min(to, from + left);
        int start = from;
        for (int at = from; at < end; at++) {
            if (bytes[at] == '\n') {
                append(bytes, start, at);
                sink.line(line, lineLength);
                lineLength = 0;
                start = at + 1;
            }
        }
        append(bytes, start, end);
        left -= end - from;
        if (left == 0) {
            if (state == State.CHUNK) {
                state = State.CHUNK_END;
            } else {
                finish(sink);
            }
        }
        return end;
    }

    private void append(byte[] bytes, int from, int to) throws MalformedReply {
        int needed = lineLength + to - from;
        if (needed > line.length) {
            if (needed > MOST_LINE_BYTES) {
                throw new MalformedReply("a line of more than " + MOST_LINE_BYTES + " bytes");
            }
            line = Arrays.copyOf(line, Math.max(needed, 2 * line.length));
        }
        System.arraycopy(bytes, from, line, lineLength, to - from);
        lineLength = needed;
    }

    /** Gathers a line of the protocol itself and acts on it. */
    private int protocol(byte[] bytes, int from, int to, BodySink sink) throws MalformedReply {
        int at = from;
        while (at < to) {
            byte next = bytes[at++];
            if (next == '\n') {
                int length = headLength > 0 && head[headLength - 1] == '\r' ? headLength - 1 : headLength;
                headLength = 0;
                onLine(length, sink);
                return at;
            }
            if (headLength == head.length) {
                if (headLength >= MOST_LINE_BYTES) {
                    throw new MalformedReply("a header of more than " + MOST_LINE_BYTES + " bytes");
                }
                head = Arrays.copyOf(head, 2 * head.length);
            }
            head[headLength++] = next;
        }
        return at;
    }

    private void onLine(int length, BodySink sink) throws MalformedReply {
        switch (state) {
            case STATUS -> {
                sink.status(status(text(length)));
                state = State.HEADER;
            }
            case HEADER -> onHeader(length, sink);
            case SIZE -> {
                left = size(length);
                state = left == 0 ? State.TRAILER : State.CHUNK;
            }
            case CHUNK_END -> {
                if (length != 0) {
                    throw new MalformedReply("a chunk that is longer than its size: " + text(length));
                }
                state = State.SIZE;
            }
            case TRAILER -> {
                if (length == 0) {
                    finish(sink);
                }
            }
            case FIXED, CHUNK, DONE -> throw new IllegalStateException("no line of the protocol in " + state);
        }
    }

    private void onHeader(int length, BodySink sink) throws MalformedReply {
        if (length > 0) {
            String header = text(length).toLowerCase(Locale.ROOT);
            if (header.startsWith("content-length:")) {
                left = number(header.substring(15).strip(), 10);
            } else if (header.startsWith("transfer-encoding:")) {
                chunked = header.endsWith("chunked");
            } else if (header.startsWith("connection:")) {
                keepAlive = !header.endsWith("close");
            }
        } else if (chunked) {
            state = State.SIZE;
        } else if (left > 0) {
            state = State.FIXED;
        } else if (left == 0) {
            finish(sink);
        } else {
            throw new MalformedReply("neither Content-Length nor chunks");
        }
    }

    private void finish(BodySink sink) {
        if (lineLength > 0) {
            sink.line(line, lineLength);
            lineLength = 0;
        }
        state = State.DONE;
        sink.end();
    }

    private static int status(String line) throws MalformedReply {
        if (!line.startsWith("HTTP/1.1 ") || line.length() < 12) {
            throw new MalformedReply("not a status line: " + line);
        }
        return (int) number(line.substring(9, 12), 10);
    }

    /** The size of a chunk, without its extensions. Parsed by hand, because every token comes in a chunk. */
    private long size(int length) throws MalformedReply {
        long size = 0;
        int digits = 0;
        while (digits < length && head[digits] != ';' && head[digits] != ' ') {
            int digit = Character.digit(head[digits], 16);
            if (digit < 0 || digits > 8) {
                throw new MalformedReply("not the size of a chunk: " + text(length));
            }
            size = 16 * size + digit;
            digits++;
        }
        if (digits == 0) {
            throw new MalformedReply("not the size of a chunk: " + text(length));
        }
        return size;
    }

    private static long number(String text, int radix) throws MalformedReply {
        try {
            return Long.parseLong(text, radix);
        } catch (NumberFormatException _) {
            throw new MalformedReply("not a number: " + text);
        }
    }

    private String text(int length) {
        return new String(head, 0, length, StandardCharsets.ISO_8859_1);
    }
}
