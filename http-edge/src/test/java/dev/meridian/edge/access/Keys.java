package dev.meridian.edge.access;

import dev.meridian.protocol.cluster.Residency;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keys for tests, with texts that a test knows. */
public final class Keys {
    public static final Instant CREATED = Instant.parse("2020-01-01T00:00:00Z");

    private Keys() {}

    public static ApiKey key(String name, String secret, Role role, List<String> models, @Nullable Instant expires) {
        return new ApiKey(name, sha256(secret), role, models, Residency.ANYWHERE, 0, 0, 0, CREATED, expires);
    }

    public static ApiKey limited(String name, String secret, int requests, int tokens, int concurrent) {
        return new ApiKey(
                name,
                sha256(secret),
                Role.CLIENT,
                List.of(),
                Residency.ANYWHERE,
                requests,
                tokens,
                concurrent,
                CREATED,
                null);
    }

    public static ApiKey bound(String name, String secret, String... regions) {
        return new ApiKey(
                name, sha256(secret), Role.CLIENT, List.of(), Residency.in(List.of(regions)), 0, 0, 0, CREATED, null);
    }

    static String sha256(String secret) {
        return HexFormat.of().formatHex(KeySecret.digest(secret));
    }

    /** Makes the file hold these alone. */
    public static void write(Path file, ApiKey... keys) {
        new KeyFile(file).update(_ -> List.of(keys));
    }

    public static void add(Path file, ApiKey key) {
        new KeyFile(file).update(before -> {
            List<ApiKey> after = new ArrayList<>(before);
            after.add(key);
            return after;
        });
    }
}
