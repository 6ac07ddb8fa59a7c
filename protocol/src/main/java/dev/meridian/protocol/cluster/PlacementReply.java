package dev.meridian.protocol.cluster;

/** The answer of a region's placement. */
public sealed interface PlacementReply {
    /**
     * It is done, or would be.
     *
     * @param change with state PLANNED where it was a dry run: then nothing has changed
     */
    record Planned(Change change) implements PlacementReply {}

    /** It is not done. */
    record Refused(PlacementRefusal reason, String message) implements PlacementReply {}
}
