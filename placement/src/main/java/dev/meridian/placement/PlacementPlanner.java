package dev.meridian.placement;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The next table of a region: what its pins should be, given what its nodes say. A pure function, called again and again:
 * each step is decided from the table and the facts alone, so a placement that takes over in the middle of a move goes on
 * where the last one stopped.
 *
 * <p>A move in steps:
 *
 * <pre>
 * pin (node=A)          -> (node=A, next=B)   B loads
 * B says STANDBY        -> (node=B)           B serves; A lets its streams end, then unloads
 * A says nothing of it  -> the change is DONE
 * B fails or is gone    -> (node=A)           the change is FAILED
 * A is gone             -> (node=B)           B serves once it has loaded
 * B is to be emptied    -> (node=A)           the change is FAILED
 * </pre>
 *
 * <p>What a node says of a replica counts only where it says it in the knowledge of the pin as it is: else it is about an
 * earlier stay of that replica.
 *
 * <p>A node holds at most one replica of a model: a second one would bring nothing. Where an operator has placed a model, what
 * is missing is added, what is on a node that may not hold it moves, and what is too much loses its pin once all others serve.
 */
final class PlacementPlanner {
    private final PinTable before;
    private final RegionNodes nodes;
    private final List<Spread.Group> groups;
    private final boolean exact;
    private final long nowMillis;
    private final long generation;
    private final Map<ReplicaId, Pin> pins = new TreeMap<>();
    private final List<Change> changes = new ArrayList<>();

    private PlacementPlanner(PinTable before, Collection<NodeFacts> facts, Wanted wanted, long nowMillis) {
        this.before = before;
        this.nowMillis = nowMillis;
        nodes = new RegionNodes(facts);
        groups = Spread.groups(nodes.all(), before.placements(), asBefore(wanted, before.changes()));
        exact = wanted.exact();
        generation = before.generation() + 1;
        before.pins().forEach(pin -> pins.put(pin.replica(), pin));
        changes.addAll(before.changes());
    }

    /**
     * The table that follows; {@code before} itself where all is as it should be.
     *
     * @param wanted of each bundle whose model no operator has placed
     */
    static PinTable plan(PinTable before, Collection<NodeFacts> facts, Wanted wanted, long nowMillis) {
        PlacementPlanner planner = new PlacementPlanner(before, facts, wanted, nowMillis);
        planner.goOnWithMoves();
        planner.takeAway();
        planner.rehome();
        planner.place();
        planner.emptyNodes();
        planner.goOnWithChanges();
        return planner.after();
    }

    private PinTable after() {
        PinTable after = before.withGeneration(generation)
                .withPins(List.copyOf(pins.values()))
                .withChanges(changes);
        boolean same = after.pins().equals(before.pins()) && after.changes().equals(before.changes());
        return same ? before : after;
    }

    private void put(ReplicaId replica, String node, @Nullable String next) {
        pins.put(replica, new Pin(replica, node, generation, next));
    }

    /** Whether an operator drains it or it is about to stop. */
    private boolean isBeingEmptied(String node) {
        return before.draining().contains(node) || nodes.isLeaving(node);
    }

    /** Whether an operator has said that it is not to be there. */
    private boolean isExcluded(ReplicaId replica, String node) {
        return before.placement(replica.model())
                .filter(placement -> placement.replicas() > 0 && !placement.allows(node))
                .isPresent();
    }

    private void goOnWithMoves() {
        for (Pin pin : List.copyOf(pins.values())) {
            String next = pin.next();
            if (next == null) {
                continue;
            }
            Optional<String> failure = nodes.failure(next, pin);
            boolean loaded = nodes.has(next, pin, ReplicaState.STANDBY) || nodes.has(next, pin, ReplicaState.READY);
            boolean mayGo = !isBeingEmptied(next) && !isExcluded(pin.replica(), next);
            if (failure.isPresent()) {
                giveUp(pin, failure.get() + " before it served");
            } else if ((loaded && mayGo) || nodes.isGone(pin.node())) {
                remember(pin, next);
                put(pin.replica(), next, null);
            } else if (!mayGo) {
                giveUp(pin, next + (isBeingEmptied(next) ? " is drained or stops" : " may not hold it"));
            }
        }
    }

    /** What a drain moves away, it can be asked to bring back. */
    private void remember(Pin pin, String next) {
        Stream<Change> running = changes.stream().filter(change -> change.state() == State.RUNNING);
        if (running.noneMatch(change -> pin.replica().equals(change.replica()))) {
            Pin moved = new Pin(pin.replica(), next, generation, null);
            changes.replaceAll(change -> change.state() == State.RUNNING
                            && change.verb() == Verb.DRAIN
                            && change.from().equals(pin.node())
                    ? change.withEffect(change.effect()
                            .withPins(Stream.concat(change.effect().pins().stream(), Stream.of(moved))
                                    .toList()))
                    : change);
        }
    }

    private void giveUp(Pin pin, String why) {
        put(pin.replica(), pin.node(), null);
        changes.replaceAll(
                change -> change.state() == State.RUNNING && pin.replica().equals(change.replica())
                        ? change.with(State.FAILED, why, nowMillis)
                        : change);
    }

    /** Replicas that are too many go once all others of their model serve; those that cannot serve go at once. */
    private void takeAway() {
        for (Spread.Group group : groups) {
            Optional<ModelPlacement> placement = before.placement(group.model());
            Optional<Change> restores = restoring(group.model());
            if (!exact && placement.isEmpty() && restores.isEmpty()) {
                continue; // Nobody has said that there are too many.
            }
            Set<ReplicaId> favoured = restores.stream()
                    .flatMap(change -> change.effect().pins().stream())
                    .map(Pin::replica)
                    .collect(Collectors.toSet());
            Spread.Order order = new Spread.Order(nodes, placement, before.draining(), favoured);
            List<Pin> surplus = Spread.surplus(group, pins.values(), order);
            boolean othersServe = group.of(pins.values()).stream()
                    .filter(pin -> !surplus.contains(pin))
                    .allMatch(nodes::isSettled);
            for (Pin pin : surplus) {
                if (othersServe || nodes.failure(pin.node(), pin).isPresent()) {
                    pins.remove(pin.replica());
                }
            }
        }
    }

    /** Until an undo is over, what was there before is what is wanted, and not what a policy makes of it. */
    private static Wanted asBefore(Wanted wanted, List<Change> changes) {
        Wanted now = wanted;
        for (Change change : changes) {
            String model = change.effect().model();
            boolean restores = change.state() == State.RUNNING && change.verb() == Verb.UNDO;
            if (wanted.exact() && restores && model != null && change.effect().wanted() == null) {
                now = now.with(model, change.effect().pins().size());
            }
        }
        return now;
    }

    /** The undo that gives a model back the placement that it had. */
    private Optional<Change> restoring(String model) {
        return changes.stream()
                .filter(change -> change.state() == State.RUNNING && change.verb() == Verb.UNDO)
                .filter(change -> model.equals(change.effect().model()))
                .findFirst();
    }

    /** Replicas whose nodes cannot serve them; where nobody can take one, it waits for its node, as long as that might help. */
    private void rehome() {
        for (Pin pin : List.copyOf(pins.values())) {
            if (pin.next() == null && nodes.failure(pin.node(), pin).isPresent()) {
                Optional<NodeFacts> target = target(pin.replica());
                target.ifPresent(node -> put(pin.replica(), node.id(), null));
                if (target.isEmpty() && lacks(pin.node(), pin.replica())) {
                    pins.remove(pin.replica());
                }
            }
        }
    }

    private boolean lacks(String node, ReplicaId replica) {
        return nodes.find(node).filter(facts -> facts.lacks(replica)).isPresent();
    }

    /** Replicas that should be and are not; pins of bundles that no node has any more go. */
    private void place() {
        Set<Spread.Variant> known = Spread.variants(nodes.all());
        pins.keySet().removeIf(replica -> !known.contains(new Spread.Variant(replica.model(), replica.digest())));
        for (Spread.Group group : groups) {
            boolean found = true;
            while (found && group.of(pins.values()).size() < group.wanted()) {
                found = placeOne(group);
            }
        }
    }

    private boolean placeOne(Spread.Group group) {
        for (ReplicaId replica : Spread.names(before.region(), group, group.of(pins.values()))) {
            Optional<NodeFacts> target = target(replica);
            if (target.isPresent()) {
                put(replica, target.get().id(), null);
                return true;
            }
        }
        return false;
    }

    /** Moves replicas off nodes that an operator drains, that are about to stop, or that are not to hold them. */
    private void emptyNodes() {
        for (Pin pin : List.copyOf(pins.values())) {
            if (pin.next() == null && (isBeingEmptied(pin.node()) || isExcluded(pin.replica(), pin.node()))) {
                Optional<NodeFacts> target = target(pin.replica());
                target.ifPresent(node -> put(pin.replica(), pin.node(), node.id()));
                if (target.isEmpty() && before.draining().contains(pin.node()) && hasStandIn(pin)) {
                    pins.remove(pin.replica());
                }
            }
        }
    }

    private boolean hasStandIn(Pin pin) {
        return pins.values().stream()
                .filter(other -> other.replica().model().equals(pin.replica().model()))
                .anyMatch(other -> !isBeingEmptied(other.node()) && nodes.isSettled(other));
    }

    private void goOnWithChanges() {
        ChangeProgress progress =
                new ChangeProgress(before.withPins(List.copyOf(pins.values())), nodes, groups, nowMillis);
        for (Change change : List.copyOf(changes)) {
            if (change.state() == State.RUNNING && !isBeingUndone(change)) {
                Change now = progress.of(change);
                if (!now.state().equals(change.state()) || !now.progress().equals(change.progress())) {
                    replace(now);
                }
                Change.Undone undone = now.effect().undoes();
                if (undone != null && now.state() == State.DONE) {
                    before.change(undone.id())
                            .ifPresent(one -> replace(one.with(State.UNDONE, "undone by " + now.id(), nowMillis)));
                }
            }
        }
    }

    private boolean isBeingUndone(Change change) {
        return changes.stream()
                .filter(other -> other.state() == State.RUNNING)
                .map(other -> other.effect().undoes())
                .anyMatch(undone -> undone != null && undone.id().equals(change.id()));
    }

    private void replace(Change now) {
        changes.replaceAll(change -> change.id().equals(now.id()) ? now : change);
    }

    private Optional<NodeFacts> target(ReplicaId replica) {
        List<NodeFacts> may = nodes.all().stream()
                .filter(node -> !isExcluded(replica, node.id()))
                .toList();
        return TargetCheck.choose(may, replica, pins.values(), before.draining());
    }
}
