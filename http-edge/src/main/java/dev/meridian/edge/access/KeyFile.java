package dev.meridian.edge.access;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.meridian.protocol.cluster.Residency;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The keys on disk: {@code {"version":1,"keys":[{"name":…,"sha256":…,…}]}}, readable by its owner alone. Written beside
 * and renamed, so that a reader sees the old or the new one; writers of several processes take turns by a lock on a file
 * beside it. A file that is not there holds no keys.
 */
public final class KeyFile {
    /** About ten thousand keys; a larger one is no key file. */
    private static final int MAX_BYTES = 4 << 20;

    private static final int VERSION = 1;
    private static final Set<String> NAMES = Set.of(
            "name",
            "sha256",
            "role",
            "models",
            "regions",
            "requestsPerMinute",
            "tokensPerMinute",
            "concurrent",
            "created",
            "expires");
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** File locks are between processes: threads of one would get an exception instead of their turn. */
    private static final ReentrantLock WITHIN_PROCESS = new ReentrantLock();

    private final Path path;

    public KeyFile(Path path) {
        this.path = path.toAbsolutePath();
    }

    public Path path() {
        return path;
    }

    /**
     * The keys, expired ones too.
     *
     * @throws AccessException naming file and fault, but nothing of what the file holds
     */
    public List<ApiKey> read() {
        return parse(bytes());
    }

    byte[] bytes() {
        return BoundedFile.read(path, MAX_BYTES);
    }

    /** Reads, changes and writes the file while no other process does. */
    public void update(UnaryOperator<List<ApiKey>> change) {
        WITHIN_PROCESS.lock();
        try {
            Files.createDirectories(path.resolveSibling("."));
            Path lockFile = path.resolveSibling(path.getFileName() + ".lock");
            try (FileChannel lock = FileChannel.open(
                            lockFile,
                            Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                            WholeFile.ownerOnly(lockFile));
                    var held = lock.lock()) {
                if (!held.isValid()) {
                    throw new IOException("the lock is gone");
                }
                WholeFile.writeSecret(path, toJson(change.apply(read()), true));
            }
        } catch (IOException e) {
            throw new AccessException(path + ": the keys cannot be written: " + e.getMessage(), e);
        } finally {
            WITHIN_PROCESS.unlock();
        }
    }

    /** The keys as the file has them; without digests for those who only want to know which there are. */
    public static byte[] toJson(List<ApiKey> keys, boolean digests) {
        ObjectNode root = JSON.createObjectNode().put("version", VERSION);
        var list = root.putArray("keys");
        for (ApiKey key : keys) {
            ObjectNode entry = list.addObject().put("name", key.name());
            if (digests) {
                entry.put("sha256", key.sha256());
            }
            entry.put("role", key.role().wireName());
            var models = entry.putArray("models");
            key.models().forEach(models::add);
            if (!key.residency().anywhere()) {
                var regions = entry.putArray("regions");
                key.residency().regions().forEach(regions::add);
            }
            entry.put("requestsPerMinute", key.requestsPerMinute())
                    .put("tokensPerMinute", key.tokensPerMinute())
                    .put("concurrent", key.concurrent())
                    .put("created", key.created().toString());
            if (key.expires() != null) {
                entry.put("expires", key.expires().toString());
            }
        }
        return (root.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    List<ApiKey> parse(byte[] bytes) {
        if (bytes.length == 0) {
            if (Files.exists(path)) {
                throw broken("it is empty", null);
            }
            return List.of();
        }
        try {
            JsonNode root = JSON.readTree(bytes);
            if (!root.isObject()
                    || root.path("version").intValue() != VERSION
                    || !root.path("keys").isArray()) {
                throw broken("it is no object with version " + VERSION + " and an array of keys", null);
            }
            List<ApiKey> keys = new ArrayList<>();
            Set<String> names = new HashSet<>();
            for (JsonNode entry : root.get("keys")) {
                ApiKey key = key(entry);
                if (!names.add(key.name())) {
                    throw broken("key " + key.name() + " is there twice", null);
                }
                keys.add(key);
            }
            return List.copyOf(keys);
        } catch (JsonProcessingException e) {
            // Jackson's message may quote what it read.
            throw broken(
                    "no JSON, line "
                            + (e.getLocation() == null ? "?" : e.getLocation().getLineNr()),
                    null);
        } catch (IOException | IllegalArgumentException | DateTimeParseException e) {
            throw broken(e instanceof DateTimeParseException ? "a date is none" : e.getMessage(), e);
        }
    }

    private static ApiKey key(JsonNode entry) {
        entry.fieldNames().forEachRemaining(name -> {
            if (!NAMES.contains(name)) {
                throw new IllegalArgumentException("a key has an unknown field");
            }
        });
        JsonNode listed = entry.path("models");
        if (!listed.isArray()) {
            // Left out could be meant as none, and would be all.
            throw new IllegalArgumentException("a key's models must be an array; [] is all");
        }
        return new ApiKey(
                text(entry, "name"),
                text(entry, "sha256"),
                Role.of(text(entry, "role")),
                strings(listed, "models"),
                entry.has("regions") ? residency(entry.path("regions")) : Residency.ANYWHERE,
                limit(entry, "requestsPerMinute"),
                limit(entry, "tokensPerMinute"),
                limit(entry, "concurrent"),
                Instant.parse(text(entry, "created")),
                entry.has("expires") ? Instant.parse(text(entry, "expires")) : null);
    }

    private static List<String> strings(JsonNode list, String name) {
        List<String> values = new ArrayList<>();
        for (JsonNode value : list) {
            if (!value.isTextual()) {
                throw new IllegalArgumentException("a key's " + name + " must be strings");
            }
            values.add(value.textValue());
        }
        return values;
    }

    private static Residency residency(JsonNode listed) {
        if (!listed.isArray() || listed.isEmpty()) {
            // An empty one could be meant as anywhere, and would be nowhere.
            throw new IllegalArgumentException(
                    "a key's regions must be an array with at least one; left out is anywhere");
        }
        return Residency.in(strings(listed, "regions"));
    }

    private static String text(JsonNode entry, String name) {
        JsonNode value = entry.path(name);
        if (!value.isTextual()) {
            throw new IllegalArgumentException("a key's " + name + " must be a string");
        }
        return value.textValue();
    }

    private static int limit(JsonNode entry, String name) {
        JsonNode value = entry.path(name);
        if (!value.isInt()) {
            throw new IllegalArgumentException("a key's " + name + " must be a whole number; 0 is no bound");
        }
        return value.intValue();
    }

    private AccessException broken(@Nullable String why, @Nullable Throwable cause) {
        return new AccessException(path + ": not a file of keys: " + why, cause);
    }
}
