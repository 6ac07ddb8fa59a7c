package dev.meridian.edge.admin;

import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.ReplicaId;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** Asks a region's placement for a change, and waits for its end where the operator wants to. Thread-safe. */
final class Changes {
    private static final Duration PLACEMENT_ANSWERS_WITHIN = Duration.ofSeconds(10);
    private static final long LOOK_MILLIS = 50;
    private static final int RETRY_SECONDS = 2;

    private final ActorSystem<?> system;
    private final AdminCluster cluster;

    Changes(ActorSystem<?> system, AdminCluster cluster) {
        this.system = system;
        this.cluster = cluster;
    }

    /** The change as it is when it is over or the wait is; fails with an {@link ApiException}. */
    CompletionStage<Change> ask(ChangeRequest request, String by) {
        String region = region(request);
        ActorRef<PlacementCommand> placement = cluster.placement(region)
                .orElseThrow(() -> refused(PlacementRefusal.REGION_UNKNOWN, "there is no region " + region));
        CompletionStage<PlacementReply> reply = AskPattern.ask(
                placement,
                (ActorRef<PlacementReply> replyTo) -> command(request, by, replyTo),
                PLACEMENT_ANSWERS_WITHIN,
                system.scheduler());
        long deadline = System.nanoTime() + request.waitAtMost().toNanos();
        return reply.exceptionallyCompose(_ -> CompletableFuture.failedFuture(new ApiException(new ApiError(
                        503,
                        "server_error",
                        "placement_unreachable",
                        "The placement of region " + region + " does not answer; try again.",
                        null,
                        RETRY_SECONDS))))
                .thenCompose(answer -> switch (answer) {
                    case PlacementReply.Refused(PlacementRefusal reason, String message) ->
                        CompletableFuture.failedFuture(refused(reason, message));
                    case PlacementReply.Planned(Change change) -> {
                        CompletableFuture<Change> end = new CompletableFuture<>();
                        await(change, deadline, end);
                        yield end;
                    }
                });
    }

    private String region(ChangeRequest request) {
        return switch (request.verb()) {
            case MOVE -> {
                String region = replica(request).region();
                requireIn(region, request.to());
                yield region;
            }
            case DRAIN, UNDRAIN ->
                nodeRegion(request.subject())
                        .orElseThrow(
                                () -> refused(PlacementRefusal.NODE_UNKNOWN, "there is no node " + request.subject()));
            case PLACE, UNPLACE -> {
                request.nodes().forEach(node -> requireIn(request.region(), node));
                yield request.region();
            }
            case UNDO ->
                cluster.tables().stream()
                        .filter(table -> table.change(request.subject()).isPresent())
                        .map(PinTable::region)
                        .findFirst()
                        .orElseThrow(() ->
                                refused(PlacementRefusal.CHANGE_UNKNOWN, "there is no change " + request.subject()));
        };
    }

    /** A node that nobody knows is for the placement to refuse. */
    private void requireIn(String region, String node) {
        nodeRegion(node).filter(other -> !other.equals(region)).ifPresent(other -> {
            throw refused(
                    PlacementRefusal.OTHER_REGION,
                    "node " + node + " is in region " + other + ", and this is about region " + region);
        });
    }

    private Optional<String> nodeRegion(String node) {
        return cluster.nodes().stream()
                .filter(row -> row.status().node().equals(node))
                .map(row -> row.status().region())
                .findFirst();
    }

    private static ReplicaId replica(ChangeRequest request) {
        try {
            return ReplicaId.parse(request.subject());
        } catch (IllegalArgumentException _) {
            throw refused(PlacementRefusal.REPLICA_UNKNOWN, "there is no replica " + request.subject());
        }
    }

    private static PlacementCommand command(ChangeRequest request, String by, ActorRef<PlacementReply> replyTo) {
        return switch (request.verb()) {
            case MOVE ->
                new PlacementCommand.Move(
                        replica(request),
                        request.to(),
                        request.dryRun(),
                        by,
                        request.generation(),
                        request.idempotencyKey(),
                        replyTo);
            case DRAIN ->
                new PlacementCommand.Drain(request.subject(), request.dryRun(), by, request.idempotencyKey(), replyTo);
            case UNDRAIN ->
                new PlacementCommand.Undrain(
                        request.subject(), request.dryRun(), by, request.idempotencyKey(), replyTo);
            case PLACE ->
                new PlacementCommand.Place(
                        new ModelPlacement(request.subject(), request.replicas(), request.nodes()),
                        request.dryRun(),
                        by,
                        request.idempotencyKey(),
                        replyTo);
            case UNPLACE ->
                new PlacementCommand.Unplace(
                        request.subject(), request.dryRun(), request.force(), by, request.idempotencyKey(), replyTo);
            case UNDO ->
                new PlacementCommand.Undo(request.subject(), request.dryRun(), by, request.idempotencyKey(), replyTo);
        };
    }

    /** Looks at this node's own copy of the table until the change is over there. */
    private void await(Change change, long deadline, CompletableFuture<Change> end) {
        Change now = find(change.id()).orElse(change);
        if (now.state() == Change.State.PLANNED || now.state().isOver() || System.nanoTime() - deadline >= 0) {
            end.complete(now);
        } else {
            CompletableFuture.delayedExecutor(LOOK_MILLIS, TimeUnit.MILLISECONDS)
                    .execute(() -> await(change, deadline, end));
        }
    }

    Optional<Change> find(String id) {
        for (PinTable table : cluster.tables()) {
            Optional<Change> found = table.change(id);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private static ApiException refused(PlacementRefusal reason, String message) {
        int status = switch (reason) {
            case REPLICA_UNKNOWN, NODE_UNKNOWN, REGION_UNKNOWN, MODEL_UNKNOWN, CHANGE_UNKNOWN -> 404;
            case SAME_NODE,
                    ALREADY_THERE,
                    NODE_DRAINING,
                    NODE_NOT_READY,
                    STALE_GENERATION,
                    CHANGE_RUNNING,
                    IDEMPOTENCY_KEY_REUSED,
                    NODE_EXCLUDED,
                    LAST_REPLICA,
                    UNDO_OF_UNDO,
                    ALREADY_UNDONE,
                    CHANGE_FAILED,
                    NOTHING_TO_UNDO,
                    SUPERSEDED -> 409;
            case OTHER_REGION, BUNDLE_MISSING, OVER_BUDGET, NO_ROOM, TOO_FEW_NODES, RESIDENCY_FORBIDS -> 422;
        };
        return new ApiException(ApiError.http(status, reason.wireName(), message + "."));
    }
}
