package dev.meridian.protocol;

import java.util.Objects;

/**
 * One try at producing a request's stream. A resend of a Submit is always a new attempt, so that entries of an older
 * producer can be told from those of the current one.
 *
 * @param requestId the request's id, unique in the cluster, 1 to 64 characters of {@code A-Za-z0-9._~-}
 * @param number counts from 1
 */
public record Attempt(String requestId, int number) {
    private static final int MAX_ID_LENGTH = 64;

    public Attempt {
        Objects.requireNonNull(requestId);
        if (requestId.isEmpty() || requestId.length() > MAX_ID_LENGTH) {
            throw new IllegalArgumentException("request id of " + requestId.length() + " characters, expected 1 to 64");
        }
        if (number < 1) {
            throw new IllegalArgumentException("attempt " + number + ", attempts count from 1");
        }
    }

    public Attempt next() {
        return new Attempt(requestId, number + 1);
    }
}
