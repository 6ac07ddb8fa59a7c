package dev.meridian.placement;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
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
 * <p>A node holds at most one replica of a model: a second one would bring nothing.
 */
final class PlacementPlanner {
    private final PinTable before;
    private final Map<String, NodeFacts> nodes = new TreeMap<>();
    private final int wantedReplicas;
    private final long nowMillis;
    private final long generation;
    private final Map<ReplicaId, Pin> pins = new TreeMap<>();
    private final List<Change> changes = new ArrayList<>();

    private PlacementPlanner(PinTable before, Collection<NodeFacts> facts, int wantedReplicas, long nowMillis) {
        this.before = before;
        this.wantedReplicas = wantedReplicas;
        this.nowMillis = nowMillis;
        generation = before.generation() + 1;
        facts.forEach(node -> nodes.put(node.id(), node));
        before.pins().forEach(pin -> pins.put(pin.replica(), pin));
        changes.addAll(before.changes());
    }

    /** The table that follows; {@code before} itself where all is as it should be. */
    static PinTable plan(PinTable before, Collection<NodeFacts> facts, int wantedReplicas, long nowMillis) {
        PlacementPlanner planner = new PlacementPlanner(before, facts, wantedReplicas, nowMillis);
        planner.goOnWithMoves();
        planner.rehome();
        planner.place();
        planner.emptyNodes();
        planner.goOnWithChanges();
        return planner.after();
    }

    private PinTable after() {
        PinTable after = new PinTable(
                before.region(), generation, List.copyOf(pins.values()), before.draining(), List.copyOf(changes));
        boolean same = after.pins().equals(before.pins()) && after.changes().equals(before.changes());
        return same ? before : after;
    }

    private void put(ReplicaId replica, String node, @Nullable String next) {
        pins.put(replica, new Pin(replica, node, generation, next));
    }

    private boolean isGone(String node) {
        NodeFacts facts = nodes.get(node);
        return facts == null || facts.gone();
    }

    /** Whether an operator drains it or it is about to stop. */
    private boolean isBeingEmptied(String node) {
        NodeFacts facts = nodes.get(node);
        return before.draining().contains(node) || (facts != null && facts.leaving());
    }

    /** Whether a node says so of the replica, as the pin is now. */
    private boolean has(String node, Pin pin, ReplicaState state) {
        NodeFacts facts = nodes.get(node);
        return facts != null && facts.has(pin, state);
    }

    /** Why a node will never serve what is pinned there, as far as one can tell now. */
    private Optional<String> failure(String node, Pin pin) {
        NodeFacts facts = nodes.get(node);
        if (facts == null || facts.gone()) {
            return Optional.of(node + " was lost");
        } else if (facts.has(pin, ReplicaState.FAILED)) {
            return Optional.of(node + " could not load it");
        }
        return facts.lacks(pin.replica()) ? Optional.of(node + " has no such bundle") : Optional.empty();
    }

    private void goOnWithMoves() {
        for (Pin pin : List.copyOf(pins.values())) {
            String next = pin.next();
            if (next == null) {
                continue;
            }
            Optional<String> failure = failure(next, pin);
            boolean loaded = has(next, pin, ReplicaState.STANDBY) || has(next, pin, ReplicaState.READY);
            if (failure.isPresent()) {
                giveUp(pin, failure.get() + " before it served");
            } else if ((loaded && !isBeingEmptied(next)) || isGone(pin.node())) {
                put(pin.replica(), next, null);
            } else if (isBeingEmptied(next)) {
                giveUp(pin, next + " is drained or stops");
            }
        }
    }

    private void giveUp(Pin pin, String why) {
        put(pin.replica(), pin.node(), null);
        changes.replaceAll(
                change -> change.state() == State.RUNNING && pin.replica().equals(change.replica())
                        ? change.with(State.FAILED, why, nowMillis)
                        : change);
    }

    /** Replicas whose nodes cannot serve them; where nobody can take one, it waits for its node, as long as that might help. */
    private void rehome() {
        for (Pin pin : List.copyOf(pins.values())) {
            if (pin.next() == null && failure(pin.node(), pin).isPresent()) {
                Optional<NodeFacts> target = target(pin.replica());
                target.ifPresent(node -> put(pin.replica(), node.id(), null));
                if (target.isEmpty() && lacks(pin.node(), pin.replica())) {
                    pins.remove(pin.replica());
                }
            }
        }
    }

    private boolean lacks(String node, ReplicaId replica) {
        NodeFacts facts = nodes.get(node);
        return facts != null && facts.lacks(replica);
    }

    /** Replicas that should be and are not; pins of bundles that no node has any more go. */
    private void place() {
        Set<Variant> known = new TreeSet<>();
        for (NodeFacts node : nodes.values()) {
            node.bundles().stream().map(Variant::of).forEach(known::add);
        }
        pins.keySet().removeIf(replica -> !known.contains(new Variant(replica.model(), replica.digest())));
        for (Variant variant : known) {
            if (ReplicaId.canName(variant.model(), variant.digest())) {
                place(variant);
            }
        }
    }

    private void place(Variant variant) {
        for (int number = 1; number <= wantedReplicas; number++) {
            ReplicaId replica = new ReplicaId(before.region(), variant.model(), variant.digest(), number);
            if (!pins.containsKey(replica)) {
                target(replica).ifPresent(node -> put(replica, node.id(), null));
            }
        }
    }

    /** One bundle under one name. */
    private record Variant(String model, String digest) implements Comparable<Variant> {
        static Variant of(ModelInfo bundle) {
            return new Variant(bundle.id(), bundle.digest());
        }

        @Override
        public int compareTo(Variant other) {
            return Comparator.comparing(Variant::model)
                    .thenComparing(Variant::digest)
                    .compare(this, other);
        }
    }

    /** Moves replicas off nodes that an operator drains, or that are about to stop. */
    private void emptyNodes() {
        for (Pin pin : List.copyOf(pins.values())) {
            if (pin.next() == null && isBeingEmptied(pin.node())) {
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
                .filter(other -> other.next() == null && !isBeingEmptied(other.node()) && isUsable(other.node()))
                .anyMatch(other -> has(other.node(), other, ReplicaState.READY));
    }

    private boolean isUsable(String node) {
        NodeFacts facts = nodes.get(node);
        return facts != null && facts.usable();
    }

    private void goOnWithChanges() {
        for (Change change : List.copyOf(changes)) {
            if (change.state() == State.RUNNING) {
                Change now = change.verb() == Verb.DRAIN ? drained(change) : moved(change);
                if (!now.state().equals(change.state()) || !now.progress().equals(change.progress())) {
                    replace(now);
                }
            }
        }
    }

    private Change moved(Change change) {
        ReplicaId replica = change.replica();
        String to = change.to();
        Pin pin = replica == null ? null : pins.get(replica);
        if (replica == null || to == null || pin == null) {
            return change.with(State.FAILED, "the replica is gone", nowMillis);
        }
        if (to.equals(pin.next())) {
            return change.with(State.RUNNING, "loads on " + to, nowMillis);
        }
        if (!pin.node().equals(to)) {
            return change.with(State.FAILED, "it is on " + pin.node() + " now", nowMillis);
        }
        Optional<String> failure = failure(to, pin);
        if (failure.isPresent()) {
            return change.with(State.FAILED, failure.get() + " before it served", nowMillis);
        }
        if (!has(to, pin, ReplicaState.READY)) {
            return change.with(State.RUNNING, "starts on " + to, nowMillis);
        }
        return held(change.from()).anyMatch(old -> old.id().equals(replica))
                ? change.with(State.RUNNING, "drains on " + change.from(), nowMillis)
                : change.with(State.DONE, "serves on " + to, nowMillis);
    }

    private Change drained(Change change) {
        String node = change.from();
        List<Pin> left =
                pins.values().stream().filter(pin -> pin.node().equals(node)).toList();
        List<Pin> stuck = left.stream().filter(pin -> pin.next() == null).toList();
        long held = held(node).count();
        if (!stuck.isEmpty()) {
            String waits = "waits: no other node can take " + stuck.getFirst().replica();
            return change.with(State.RUNNING, waits, nowMillis);
        } else if (!left.isEmpty()) {
            return change.with(State.RUNNING, "moves " + left.size() + " of its replicas", nowMillis);
        }
        return held > 0
                ? change.with(State.RUNNING, "lets the streams of " + held + " end", nowMillis)
                : change.with(State.DONE, "holds nothing", nowMillis);
    }

    /** What a node has in its memory; nothing where it is gone. */
    private Stream<ReplicaStatus> held(String node) {
        return Stream.ofNullable(nodes.get(node))
                .filter(facts -> !facts.gone())
                .flatMap(facts -> facts.replicas().stream())
                .filter(replica -> replica.state() != ReplicaState.FAILED);
    }

    private void replace(Change now) {
        changes.replaceAll(change -> change.id().equals(now.id()) ? now : change);
    }

    private Optional<NodeFacts> target(ReplicaId replica) {
        return TargetCheck.choose(nodes.values(), replica, pins.values(), before.draining());
    }
}
