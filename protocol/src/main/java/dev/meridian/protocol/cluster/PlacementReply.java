package dev.meridian.protocol.cluster;

import java.util.List;

/** The answer of a region's placement. */
public sealed interface PlacementReply {
    /**
     * It is done, or would be.
     *
     * @param change with state PLANNED where it was a dry run: then nothing has changed
     * @param plan what happens, step by step, for a person to read
     */
    record Planned(Change change, List<String> plan) implements PlacementReply {
        public Planned {
            plan = List.copyOf(plan);
        }
    }

    /** It is not done. */
    record Refused(PlacementRefusal reason, String message) implements PlacementReply {}
}
