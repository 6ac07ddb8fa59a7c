package dev.meridian.protocol.cluster;

import java.util.Collection;
import java.util.List;

/**
 * Where a model may be held and the words of its requests may go. What two sides say of a request holds together: it may only
 * go where both allow it, and where that is nowhere, nowhere.
 *
 * @param anywhere whether nothing is said; then {@code regions} is empty
 * @param regions sorted; without any, nowhere
 */
public record Residency(boolean anywhere, List<String> regions) {
    /** Bound to no region. */
    public static final Residency ANYWHERE = new Residency(true, List.of());

    /** Throws IllegalArgumentException where a region's name can be none. */
    public Residency {
        regions = regions.stream().distinct().sorted().toList();
        if (anywhere && !regions.isEmpty()) {
            throw new IllegalArgumentException("bound to no region, and to " + regions);
        }
        for (String region : regions) {
            if (!ReplicaId.NAME.matcher(region).matches()) {
                throw new IllegalArgumentException("'" + region + "' can be no region");
            }
        }
    }

    /** Bound to these regions. */
    public static Residency in(Collection<String> regions) {
        return new Residency(false, List.copyOf(regions));
    }

    public boolean allows(String region) {
        return anywhere || regions.contains(region);
    }

    /** What both allow. */
    public Residency and(Residency other) {
        if (anywhere || other.anywhere) {
            return anywhere ? other : this;
        }
        return in(regions.stream().filter(other::allows).toList());
    }

    @Override
    public String toString() {
        return anywhere ? "anywhere" : regions.isEmpty() ? "nowhere" : String.join(", ", regions);
    }
}
