package dev.meridian.edge.access;

import java.security.MessageDigest;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that are good now: what the key file said when it was last read well. Thread-safe; {@link #refresh} reads a
 * file and belongs on a thread that may block.
 */
public final class KeyRing {
    private static final Logger LOG = LoggerFactory.getLogger(KeyRing.class);

    private final KeyFile file;
    private final InstantSource clock;
    private volatile List<Entry> entries;
    private byte[] seen;
    private String said = "";

    private static final class Entry {
        final ApiKey key;
        final byte[] digest;

        Entry(ApiKey key) {
            this.key = key;
            digest = key.digest();
        }
    }

    /** @throws AccessException where the file is there and broken */
    public KeyRing(KeyFile file, InstantSource clock) {
        this.file = file;
        this.clock = clock;
        seen = file.bytes();
        entries = entries(file.parse(seen));
    }

    private static List<Entry> entries(List<ApiKey> keys) {
        return keys.stream().map(key -> new Entry(key)).toList();
    }

    /**
     * Takes changes of the file. A broken one leaves the last good state and is logged once for each of its contents; one
     * that was deleted leaves no key.
     */
    public synchronized void refresh() {
        byte[] now;
        try {
            now = file.bytes();
            if (Arrays.equals(now, seen)) {
                return;
            }
            seen = now;
            entries = entries(file.parse(now));
            said = "";
            LOG.info("keys read again: {} in {}", entries.size(), file.path());
        } catch (AccessException e) {
            sayOnce(e);
        }
    }

    private void sayOnce(AccessException e) {
        String why = String.valueOf(e.getMessage());
        if (!why.equals(said)) {
            said = why;
            LOG.warn("the keys stay as they were: {}", why);
        }
    }

    List<ApiKey> keys() {
        return entries.stream().map(entry -> entry.key).toList();
    }

    /** Whether a good key of such a role exists. */
    boolean hasKeyFor(Role needed) {
        return entries.stream()
                .map(entry -> entry.key)
                .anyMatch(key -> key.role().covers(needed) && !key.isExpired(clock.instant()));
    }

    /**
     * The key with this text, if it is good. Compares with every entry to its end, and each in constant time: how long
     * it takes tells nobody how near a guess was, nor which entry it met.
     */
    Optional<ApiKey> find(String secret) {
        byte[] digest = KeySecret.digest(secret);
        ApiKey found = null;
        for (Entry entry : entries) {
            if (MessageDigest.isEqual(digest, entry.digest)) {
                found = entry.key;
            }
        }
        return Optional.ofNullable(found).filter(key -> !key.isExpired(clock.instant()));
    }
}
