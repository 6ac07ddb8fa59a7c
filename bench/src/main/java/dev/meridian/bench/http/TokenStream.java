package dev.meridian.bench.http;

import dev.meridian.bench.load.BodySink;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * The client's end of one stream: checks each token's place and text, and keeps when it was made and when it came. Parses by
 * hand, because the generator shares the machine with what it measures. One thread.
 */
final class TokenStream implements BodySink {
    private static final byte[] TEXT = "\"text\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] QUEUE = "\"queue_ms\":".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] PREFILL = "\"prefill_ms\":".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] FINISH = "\"finish_reason\":\"length\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DATA = "data: {".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DONE = "data: [DONE]".getBytes(StandardCharsets.US_ASCII);
    private static final double NANOS_PER_MILLI = 1e6;

    private final long[] madeNanos;
    private final long[] receivedNanos;
    private final LongSupplier now;
    private int expectedId;
    private int received;
    private int status;
    private long lost;
    private long doubled;
    private long changed;
    private boolean finished;
    private boolean done;
    private double engineMillis = Double.NaN;
    /** Where the last number that was read ends. */
    private int at;

    /**
     * A stream of {@code tokens} tokens.
     *
     * @param promptId the last id of the prompt
     * @param now when the bytes that are being parsed were read
     */
    TokenStream(int promptId, int tokens, LongSupplier now) {
        expectedId = Script.next(promptId);
        madeNanos = new long[tokens];
        receivedNanos = new long[tokens];
        this.now = now;
    }

    @Override
    public void status(int code) {
        status = code;
    }

    @Override
    public void line(byte[] bytes, int length) {
        if (length == 0 || bytes[0] == ':') {
            return;
        }
        if (status != 200) {
            changed++;
        } else if (startsWith(bytes, length, DONE)) {
            done = true;
        } else if (startsWith(bytes, length, DATA)) {
            event(bytes, length);
        } else {
            changed++;
        }
    }

    private void event(byte[] bytes, int length) {
        int text = find(bytes, length, TEXT, 0);
        if (text < 0) {
            changed++;
            return;
        }
        if (bytes[text] != '"') {
            token(bytes, length, text);
        }
        if (find(bytes, length, FINISH, text) >= 0) {
            finished = true;
            engineMillis = millis(bytes, length, QUEUE) + millis(bytes, length, PREFILL);
        }
    }

    private void token(byte[] bytes, int length, int text) {
        long id = number(bytes, length, text, ':');
        long index = id < 0 ? -1 : number(bytes, length, at, ':');
        long made = index < 0 ? -1 : number(bytes, length, at, ';');
        if (made < 0 || at >= length || bytes[at] != '"') {
            changed++;
            return;
        }
        if (index < received) {
            doubled++;
            return;
        }
        while (received < index && received < madeNanos.length) {
            lost++;
            step(0, 0);
        }
        if (received == madeNanos.length) {
            doubled++;
        } else {
            changed += id == expectedId ? 0 : 1;
            step(made, now.getAsLong());
        }
    }

    private void step(long made, long came) {
        madeNanos[received] = made;
        receivedNanos[received] = came;
        received++;
        expectedId = Script.next(expectedId);
    }

    /** The decimal number at {@code from}, which {@code end} must follow; -1 where there is none. */
    private long number(byte[] bytes, int length, int from, char end) {
        long value = 0;
        at = from;
        while (at < length && bytes[at] >= '0' && bytes[at] <= '9') {
            value = 10 * value + bytes[at++] - '0';
        }
        boolean whole = at > from && at < length && bytes[at] == end;
        at++;
        return whole ? value : -1;
    }

    private static double millis(byte[] bytes, int length, byte[] key) {
        int from = find(bytes, length, key, 0);
        if (from < 0) {
            return Double.NaN;
        }
        int to = from;
        while (to < length && bytes[to] != ',' && bytes[to] != '}') {
            to++;
        }
        return Double.parseDouble(new String(bytes, from, to - from, StandardCharsets.US_ASCII));
    }

    private static boolean startsWith(byte[] bytes, int length, byte[] prefix) {
        return length >= prefix.length && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
    }

    /** The place behind the first {@code wanted} from {@code from} on; -1 where there is none. */
    private static int find(byte[] bytes, int length, byte[] wanted, int from) {
        for (int start = from; start + wanted.length <= length; start++) {
            if (bytes[start] == wanted[0]
                    && Arrays.equals(bytes, start, start + wanted.length, wanted, 0, wanted.length)) {
                return start + wanted.length;
            }
        }
        return -1;
    }

    /** Counts as lost what has not come. */
    @Override
    public void end() {
        lost += madeNanos.length - received;
        changed += finished && done ? 0 : 1;
    }

    /** The connection broke: what has not come is lost. */
    void broken() {
        lost += madeNanos.length - received;
        changed++;
    }

    int received() {
        return received;
    }

    long lost() {
        return lost;
    }

    long doubled() {
        return doubled;
    }

    long changed() {
        return changed;
    }

    /** When the engine's thread made a token; 0 for a lost one. */
    long made(int index) {
        return madeNanos[index];
    }

    long came(int index) {
        return receivedNanos[index];
    }

    /** From the engine's taking the request to the first token, as the reply itself says; NaN where it does not. */
    double engineNanos() {
        return engineMillis * NANOS_PER_MILLI;
    }
}
