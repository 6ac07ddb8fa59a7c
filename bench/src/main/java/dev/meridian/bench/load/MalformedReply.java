package dev.meridian.bench.load;

import java.io.IOException;

/** The server sent what is not HTTP/1.1 as this client reads it. */
public final class MalformedReply extends IOException {
    private static final long serialVersionUID = 1L;

    MalformedReply(String message) {
        super(message);
    }
}
