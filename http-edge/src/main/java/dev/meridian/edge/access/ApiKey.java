package dev.meridian.edge.access;

import dev.meridian.protocol.cluster.Residency;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a key, which is not the key itself.
 *
 * @param name unique in its file; the handle for {@code keys revoke}, and what a log may say
 * @param sha256 digest of the key's text, 64 lower-case hexadecimal digits
 * @param models ids that it may use; empty is all
 * @param residency where the words of its requests may be
 * @param requestsPerMinute 0 is no bound, as for the next two
 * @param concurrent replies at a time
 * @param expires the first moment at which it is no longer good, or null
 */
public record ApiKey(
        String name,
        String sha256,
        Role role,
        List<String> models,
        Residency residency,
        int requestsPerMinute,
        int tokensPerMinute,
        int concurrent,
        Instant created,
        @Nullable Instant expires) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

    public ApiKey {
        models = List.copyOf(models);
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("a key's name is 1 to 64 characters of A-Za-z0-9._-");
        }
        if (!DIGEST.matcher(sha256).matches()) {
            throw new IllegalArgumentException(
                    "the sha256 of key " + name + " is not 64 lower-case hexadecimal digits");
        }
        if (requestsPerMinute < 0 || tokensPerMinute < 0 || concurrent < 0) {
            throw new IllegalArgumentException("the limits of key " + name + " must not be negative");
        }
    }

    boolean isExpired(Instant now) {
        return expires != null && !now.isBefore(expires);
    }

    boolean mayUse(String model) {
        return models.isEmpty() || models.contains(model);
    }

    byte[] digest() {
        return HexFormat.of().parseHex(sha256);
    }

    /** Without the digest: it is no secret to be used, and still nothing for a log. */
    @Override
    public String toString() {
        return "ApiKey[" + name + ", " + role.wireName() + "]";
    }
}
