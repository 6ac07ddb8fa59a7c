package dev.meridian.protocol.cluster;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a region's placement has decided, and why.
 *
 * @param generation of the table in which it was decided
 * @param index among the events of that generation, from 0
 * @param by who: of a person's change the name of a key or {@code loopback}; {@code policy:} and the policy's name; or
 *     {@value #PLACEMENT} itself, as where a node was lost
 * @param model empty of changes that are about a node
 * @param replica null of changes that are about a node or a model
 * @param node that holds it from now on, or is to; null where none does
 * @param from the node that held it, or that a change is about; null where there is none
 * @param reason for a person to read; at most {@value #MAX_REASON} characters
 */
public record PlacementEvent(
        long generation,
        int index,
        long atEpochMillis,
        Kind kind,
        String by,
        String model,
        @Nullable ReplicaId replica,
        @Nullable String node,
        @Nullable String from,
        String reason) {
    /** {@link #by} where neither a person nor a policy has wanted it. */
    public static final String PLACEMENT = "placement";

    /** A table holds many of them and has to fit into one message between nodes. */
    public static final int MAX_REASON = 256;

    public PlacementEvent {
        if (reason.length() > MAX_REASON) {
            throw new IllegalArgumentException("a reason of " + reason.length() + " characters");
        }
    }

    /** What became of it. */
    public enum Kind {
        /** A replica has a node that had none. */
        PLACED,
        /** A replica is to have another node, which loads it. */
        MOVING,
        /** A replica has another node. */
        MOVED,
        /** A replica was to have another node, and stays where it is. */
        STAYED,
        /** A replica has no node any more. */
        REMOVED,
        /** A person's change was begun, or is over. */
        CHANGE;

        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Whether it comes after that of another of its region. */
    public boolean isAfter(long otherGeneration, int otherIndex) {
        return generation == otherGeneration ? index > otherIndex : generation > otherGeneration;
    }
}
