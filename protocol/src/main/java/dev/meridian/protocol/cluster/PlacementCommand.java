package dev.meridian.protocol.cluster;

import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** What an operator asks of a region's placement. Each is answered by a {@link PlacementReply}. */
public sealed interface PlacementCommand {
    /** Who asks. */
    String by();

    /** Null where there is none. */
    @Nullable
    String idempotencyKey();

    ActorRef<PlacementReply> replyTo();

    /**
     * Move a replica to another node of its region.
     *
     * @param by who asks
     * @param generation what the asker has seen of the pin, so that two who move at once do not both win; 0 for any
     * @param idempotencyKey null where there is none
     */
    record Move(
            ReplicaId replica,
            String to,
            boolean dryRun,
            String by,
            long generation,
            @Nullable String idempotencyKey,
            ActorRef<PlacementReply> replyTo)
            implements PlacementCommand {}

    /** Move everything off a node, and place nothing there until it is undrained. */
    record Drain(
            String node,
            boolean dryRun,
            String by,
            @Nullable String idempotencyKey,
            ActorRef<PlacementReply> replyTo) implements PlacementCommand {}

    /** Let a node hold replicas again. */
    record Undrain(
            String node,
            boolean dryRun,
            String by,
            @Nullable String idempotencyKey,
            ActorRef<PlacementReply> replyTo) implements PlacementCommand {}

    /** Hold so many replicas of a model in the region, at least one. */
    record Place(
            ModelPlacement wanted,
            boolean dryRun,
            String by,
            @Nullable String idempotencyKey,
            ActorRef<PlacementReply> replyTo)
            implements PlacementCommand {}

    /**
     * Hold nothing of a model in the region.
     *
     * @param force also where no other region serves it
     */
    record Unplace(
            String model,
            boolean dryRun,
            boolean force,
            String by,
            @Nullable String idempotencyKey,
            ActorRef<PlacementReply> replyTo)
            implements PlacementCommand {}

    /** Restore what was before a change of the region. */
    record Undo(
            String change,
            boolean dryRun,
            String by,
            @Nullable String idempotencyKey,
            ActorRef<PlacementReply> replyTo) implements PlacementCommand {}
}
