package dev.meridian.edge.access;

import dev.meridian.protocol.cluster.Residency;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Who sent a request, once the gate has let it in. */
public sealed interface Caller {
    /** Someone on this machine, where no key is asked for. */
    record Local() implements Caller {}

    record Keyed(ApiKey key) implements Caller {}

    /** The same for all requests of one key, and of nobody else. */
    default String identity() {
        return switch (this) {
            case Local _ -> "local";
            case Keyed(ApiKey key) -> key.sha256();
        };
    }

    /**
     * Requests of one key, and all that come without one, may use each other's KV caches: the same number for them at every edge,
     * from which nobody learns the key, nor its digest (the first 64 bits of another SHA-256 of {@link #identity()}).
     */
    default long cacheScope() {
        return ByteBuffer.wrap(sha256().digest(("cache-scope " + identity()).getBytes(StandardCharsets.UTF_8)))
                .getLong();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Where the words of its requests may be. */
    default Residency residency() {
        return switch (this) {
            case Local _ -> Residency.ANYWHERE;
            case Keyed(ApiKey key) -> key.residency();
        };
    }

    /** Whether this caller may use a model, or see that it is there. */
    default boolean mayUse(String model) {
        return switch (this) {
            case Local _ -> true;
            case Keyed(ApiKey key) -> key.mayUse(model);
        };
    }
}
