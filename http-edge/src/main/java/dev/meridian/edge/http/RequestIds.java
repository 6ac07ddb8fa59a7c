package dev.meridian.edge.http;

import java.util.random.RandomGenerator;

/** Ids of requests and replies: 24 characters of base 62, about 142 random bits. Thread-safe if its source is. */
public final class RequestIds {
    private static final String ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final int LENGTH = 24;
    private static final int MAX_CLIENT_LENGTH = 128;

    private final RandomGenerator random;

    public RequestIds(RandomGenerator random) {
        this.random = random;
    }

    public String next(String prefix) {
        StringBuilder id = new StringBuilder(prefix.length() + LENGTH).append(prefix);
        for (int i = 0; i < LENGTH; i++) {
            id.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return id.toString();
    }

    /** Whether a client's own request id can be given back: 1 to 128 characters of {@code A-Za-z0-9._~-}. */
    public static boolean isValid(String id) {
        return !id.isEmpty()
                && id.length() <= MAX_CLIENT_LENGTH
                && id.chars()
                        .allMatch(c -> (c >= '0' && c <= '9')
                                || (c >= 'a' && c <= 'z')
                                || (c >= 'A' && c <= 'Z')
                                || c == '.'
                                || c == '_'
                                || c == '~'
                                || c == '-');
    }
}
