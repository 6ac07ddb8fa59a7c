package dev.meridian.protocol.cluster;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a replica in the whole cluster, {@code region~model~digest~number}. It stands in URLs, names of actors and
 * metrics, and is the id of the replica's shard.
 *
 * @param region 1 to 32 characters of {@code a-z0-9-}
 * @param model 1 to 128 characters of {@code A-Za-z0-9._~-}
 * @param digest the first {@value #DIGEST_LENGTH} hexadecimal digits of the bundle's digest
 * @param number counts from 1 among the replicas of a model in a region
 */
public record ReplicaId(String region, String model, String digest, int number) implements Comparable<ReplicaId> {
    public static final int DIGEST_LENGTH = 12;
    public static final int MAX_NUMBER = 9999;

    /** A node's region and id are of these characters, too. */
    public static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?");

    private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._~-]{0,127}");
    private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{" + DIGEST_LENGTH + "}");

    /** A model's name may hold a {@code ~}; the other parts do not. */
    private static final Pattern WHOLE = Pattern.compile("([^~]+)~(.+)~([^~]+)~([1-9][0-9]{0,3})");

    public ReplicaId {
        require(NAME.matcher(region).matches(), "region", region);
        require(MODEL.matcher(model).matches(), "model", model);
        require(DIGEST.matcher(digest).matches(), "digest", digest);
        require(number >= 1 && number <= MAX_NUMBER, "number", Integer.toString(number));
    }

    /** Whether replicas of such a bundle can have names. */
    public static boolean canName(String model, String digest) {
        return MODEL.matcher(model).matches() && DIGEST.matcher(digest).matches();
    }

    private static void require(boolean holds, String part, String value) {
        if (!holds) {
            throw new IllegalArgumentException("replica with the " + part + " '" + value + "'");
        }
    }

    /** Throws IllegalArgumentException where the text is none. */
    public static ReplicaId parse(String text) {
        Matcher parts = WHOLE.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no replica: expected region~model~digest~number");
        }
        return new ReplicaId(parts.group(1), parts.group(2), parts.group(3), Integer.parseInt(parts.group(4)));
    }

    @Override
    public int compareTo(ReplicaId other) {
        int order = region.compareTo(other.region);
        order = order != 0 ? order : model.compareTo(other.model);
        order = order != 0 ? order : digest.compareTo(other.digest);
        return order != 0 ? order : Integer.compare(number, other.number);
    }

    @Override
    public String toString() {
        return region + "~" + model + "~" + digest + "~" + number;
    }
}
