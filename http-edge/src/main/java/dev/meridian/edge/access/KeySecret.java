package dev.meridian.edge.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.random.RandomGenerator;

/**
 * The text of a key: {@code mk-} and 256 random bits in base64url.
 *
 * <p>What is stored is its plain SHA-256. Salts and slow functions (PBKDF2, Argon2) make up for passwords that people
 * choose: they slow a search through likely ones down and stop one table from serving many files. Of 2^256 equally likely
 * keys there are no likely ones and no tables, so a slow function would only cost the server time with every request.
 */
public final class KeySecret {
    private static final String PREFIX = "mk-";
    private static final int RANDOM_BYTES = 32;

    private KeySecret() {}

    /** A new key; the source must be a {@link java.security.SecureRandom}, but for tests. */
    public static String next(RandomGenerator random) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** 32 bytes. */
    public static byte[] digest(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
