package dev.meridian.placement;

import dev.meridian.placement.PlacementCommands.Decision;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply.Planned;
import dev.meridian.protocol.cluster.PlacementReply.Refused;
import dev.meridian.protocol.cluster.ReplicaId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What operators' commands are decided by, and what all decisions have in common.
 *
 * @param wanted of models that no operator has placed
 * @param servedElsewhere models of which another region holds a replica that serves
 * @param forbidden models that some node has on disk and that residency keeps out of this region
 */
record Situation(
        PinTable table,
        List<NodeFacts> nodes,
        Set<String> servedElsewhere,
        Set<String> forbidden,
        PlacementSettings settings,
        Wanted wanted,
        long nowMillis) {
    Situation {
        nodes = List.copyOf(nodes);
        servedElsewhere = Set.copyOf(servedElsewhere);
        forbidden = Set.copyOf(forbidden);
    }

    /**
     * A change that is not begun.
     *
     * @param replica null where it is about a node or a model
     * @param from empty where it is about a model
     */
    record Draft(
            Verb verb,
            @Nullable ReplicaId replica,
            String from,
            @Nullable String to,
            List<String> plan,
            Effect effect) {}

    Optional<NodeFacts> node(String id) {
        return nodes.stream().filter(node -> node.id().equals(id)).findFirst();
    }

    RegionNodes regionNodes() {
        return new RegionNodes(nodes);
    }

    /** The generation of the next table. */
    long next() {
        return table.generation() + 1;
    }

    Optional<Change> running(Predicate<Change> which) {
        return table.changes().stream()
                .filter(change -> change.state() == State.RUNNING && which.test(change))
                .findFirst();
    }

    /** Who should take a replica, of those that may hold it. */
    Optional<NodeFacts> target(ReplicaId replica, Collection<Pin> pins, List<String> draining) {
        List<NodeFacts> may = nodes.stream()
                .filter(node -> table.placement(replica.model())
                        .filter(placement -> !placement.allows(node.id()))
                        .isEmpty())
                .toList();
        return TargetCheck.choose(may, replica, pins, draining);
    }

    Decision refuse(PlacementRefusal reason, String message) {
        return new Decision(new Refused(reason, message), table);
    }

    Decision refuse(TargetCheck.No no) {
        return refuse(no.reason(), no.message());
    }

    Decision unknownNode(String id) {
        return refuse(PlacementRefusal.NODE_UNKNOWN, "there is no node " + id + " in region " + table.region());
    }

    /** Changes that run are not forgotten. */
    boolean isFull() {
        return table.changes().stream()
                        .filter(change -> !change.state().isOver())
                        .count()
                >= PinTable.MAX_CHANGES;
    }

    Decision refuseFull() {
        return refuse(
                PlacementRefusal.CHANGE_RUNNING, PinTable.MAX_CHANGES + " changes run already; wait until one is over");
    }

    /** The change as a dry run tells it; an undo where {@code undoes} is not null. */
    Change planned(Draft draft, PlacementCommand command, @Nullable Undone undoes) {
        return new Change(
                "chg-" + UUID.randomUUID().toString().substring(0, 13),
                undoes == null ? draft.verb() : Verb.UNDO,
                command.by(),
                draft.replica(),
                draft.from(),
                draft.to(),
                draft.plan(),
                State.PLANNED,
                "",
                next(),
                nowMillis,
                nowMillis,
                command.idempotencyKey(),
                draft.effect().undoing(undoes));
    }

    Decision only(Change planned) {
        return new Decision(new Planned(planned), table);
    }

    /** Begins a change with that table, or ends it at once where its state says so. */
    Decision begin(Change change, PinTable changed) {
        List<Change> changes = new ArrayList<>(changed.changes());
        changes.add(change);
        while (changes.size() > PinTable.MAX_CHANGES) {
            changes.remove(oldestThatIsOver(changes));
        }
        return new Decision(new Planned(change), changed.withChanges(changes).withGeneration(next()));
    }

    private static int oldestThatIsOver(List<Change> changes) {
        for (int i = 0; i < changes.size(); i++) {
            if (changes.get(i).state().isOver()) {
                return i;
            }
        }
        throw new IllegalStateException(changes.size() + " changes run");
    }
}
