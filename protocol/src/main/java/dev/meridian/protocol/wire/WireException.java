package dev.meridian.protocol.wire;

/**
 * A message that may not cross the wire. The text names what is wrong and how much of it there was, never what it was:
 * prompts and tokens do not reach a log. Pekko logs it and drops the message; the connection stays.
 */
public final class WireException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    WireException(String message) {
        super(message);
    }
}
