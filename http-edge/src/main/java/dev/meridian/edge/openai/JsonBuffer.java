package dev.meridian.edge.openai;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing UTF-8 buffer for hand-laid JSON on the token path: no tree, no boxing. Not thread-safe. */
final class JsonBuffer {
    private static final JsonStringEncoder ENCODER = JsonStringEncoder.getInstance();

    private byte[] bytes = new byte[512];
    private int size;

    /** Appends text that holds only ASCII, as it is. */
    JsonBuffer raw(String ascii) {
        int length = ascii.length();
        ensure(length);
        for (int i = 0; i < length; i++) {
            bytes[size++] = (byte) ascii.charAt(i);
        }
        return this;
    }

    JsonBuffer raw(byte[] utf8) {
        ensure(utf8.length);
        System.arraycopy(utf8, 0, bytes, size, utf8.length);
        size += utf8.length;
        return this;
    }

    /** Appends a JSON string with its quotes. */
    JsonBuffer quoted(String text) {
        ensure(text.length() + 2);
        bytes[size++] = '"';
        if (isPlain(text)) {
            raw(text);
        } else {
            raw(ENCODER.quoteAsUTF8(text));
        }
        ensure(1);
        bytes[size++] = '"';
        return this;
    }

    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                return false;
            }
        }
        return true;
    }

    JsonBuffer number(long value) {
        return raw(Long.toString(value));
    }

    /** Appends a log-probability; JSON has no infinity, so an impossible token gets OpenAI's -9999. */
    JsonBuffer logprob(float value) {
        return Float.isFinite(value) ? raw(Float.toString(value)) : raw("-9999.0");
    }

    /** Appends bytes given in hexadecimal as an array of numbers. */
    JsonBuffer byteArray(String hex) {
        raw("[");
        for (int i = 0; i + 1 < hex.length(); i += 2) {
            if (i > 0) {
                raw(",");
            }
            number(Character.digit(hex.charAt(i), 16) * 16L + Character.digit(hex.charAt(i + 1), 16));
        }
        return raw("]");
    }

    private void ensure(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
        }
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** Takes back what was written after it had {@code earlier} bytes. */
    void truncate(int earlier) {
        size = earlier;
    }

    /** A copy of what was written; the buffer is empty afterwards. */
    byte[] drain() {
        byte[] out = Arrays.copyOf(bytes, size);
        size = 0;
        return out;
    }

    @Override
    public String toString() {
        return new String(bytes, 0, size, StandardCharsets.UTF_8);
    }
}
