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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
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
 * </pre>
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

    private boolean has(String node, ReplicaId replica, ReplicaState state) {
        NodeFacts facts = nodes.get(node);
        return facts != null && facts.has(replica, state);
    }

    private void goOnWithMoves() {
        for (Pin pin : List.copyOf(pins.values())) {
            String next = pin.next();
            if (next == null) {
                continue;
            }
            if (has(next, pin.replica(), ReplicaState.STANDBY) || has(next, pin.replica(), ReplicaState.READY)) {
                put(pin.replica(), next, null);
            } else if (isGone(next) || has(next, pin.replica(), ReplicaState.FAILED)) {
                put(pin.replica(), pin.node(), null);
                moveOf(pin.replica())
                        .ifPresent(change -> replace(change.with(
                                State.FAILED,
                                next + (isGone(next) ? " was lost" : " could not load it") + " before it served",
                                nowMillis)));
            } else if (isGone(pin.node())) {
                put(pin.replica(), next, null);
            }
        }
    }

    /** Replicas of nodes that are gone; where nobody can take one, it waits for its node. */
    private void rehome() {
        for (Pin pin : List.copyOf(pins.values())) {
            if (pin.next() == null && (isGone(pin.node()) || hasFailed(pin))) {
                target(pin.replica()).ifPresent(node -> put(pin.replica(), node.id(), null));
            }
        }
    }

    private boolean hasFailed(Pin pin) {
        return has(pin.node(), pin.replica(), ReplicaState.FAILED);
    }

    /** Replicas that should be and are not; pins of bundles that no node has any more go. */
    private void place() {
        Set<Variant> offered = new HashSet<>();
        for (NodeFacts node : nodes.values()) {
            if (node.usable()) {
                node.bundles().forEach(bundle -> offered.add(Variant.of(bundle)));
            }
        }
        for (Variant variant : offered.stream().sorted().toList()) {
            for (int number = 1; number <= wantedReplicas; number++) {
                ReplicaId replica = new ReplicaId(before.region(), variant.model(), variant.digest(), number);
                if (!pins.containsKey(replica)) {
                    target(replica).ifPresent(node -> put(replica, node.id(), null));
                }
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

    /** Nodes that an operator drains, or that are about to stop. */
    private void emptyNodes() {
        for (Pin pin : List.copyOf(pins.values())) {
            NodeFacts holder = nodes.get(pin.node());
            boolean leaves = holder != null && !holder.gone() && !holder.usable();
            boolean drained = before.draining().contains(pin.node());
            if (pin.next() == null && (drained || leaves)) {
                Optional<NodeFacts> target = target(pin.replica());
                target.ifPresent(node -> put(pin.replica(), pin.node(), node.id()));
                if (target.isEmpty() && drained && hasStandIn(pin)) {
                    pins.remove(pin.replica());
                }
            }
        }
    }

    private boolean hasStandIn(Pin pin) {
        return pins.values().stream()
                .filter(other -> !other.node().equals(pin.node()) && other.next() == null)
                .anyMatch(other -> other.replica().model().equals(pin.replica().model())
                        && has(other.node(), other.replica(), ReplicaState.READY));
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
        if (!has(to, replica, ReplicaState.READY)) {
            return change.with(State.RUNNING, "starts on " + to, nowMillis);
        }
        Optional<ReplicaStatus> old = Optional.ofNullable(nodes.get(change.from()))
                .filter(node -> !node.gone())
                .flatMap(node -> node.replica(replica));
        return old.isPresent()
                ? change.with(State.RUNNING, "drains on " + change.from(), nowMillis)
                : change.with(State.DONE, "serves on " + to, nowMillis);
    }

    private Change drained(Change change) {
        String node = change.from();
        List<ReplicaId> left = pins.values().stream()
                .filter(pin -> pin.node().equals(node) || node.equals(pin.next()))
                .map(Pin::replica)
                .toList();
        NodeFacts facts = nodes.get(node);
        if (!left.isEmpty()) {
            return change.with(State.RUNNING, "moves " + left.size() + " of its replicas", nowMillis);
        }
        return facts != null && !facts.gone() && !facts.replicas().isEmpty()
                ? change.with(
                        State.RUNNING, "lets the streams of " + facts.replicas().size() + " end", nowMillis)
                : change.with(State.DONE, "holds nothing", nowMillis);
    }

    private Optional<Change> moveOf(ReplicaId replica) {
        return changes.stream()
                .filter(change -> change.state() == State.RUNNING && replica.equals(change.replica()))
                .findFirst();
    }

    private void replace(Change now) {
        changes.replaceAll(change -> change.id().equals(now.id()) ? now : change);
    }

    /** Who can take a replica: of those with its bundle, room, and none of its model, the one that holds the fewest. */
    private Optional<NodeFacts> target(ReplicaId replica) {
        return nodes.values().stream()
                .filter(node -> refusal(node, replica).isEmpty())
                .min(Comparator.comparingLong(this::pinned)
                        .thenComparingLong(node -> node.reservedBytes() - node.budgetBytes())
                        .thenComparing(NodeFacts::id));
    }

    private long pinned(NodeFacts node) {
        return pins.values().stream()
                .filter(pin -> pin.node().equals(node.id()) || node.id().equals(pin.next()))
                .count();
    }

    private Optional<String> refusal(NodeFacts node, ReplicaId replica) {
        return TargetCheck.refusal(new TargetCheck.Question(node, replica, pins.values(), before.draining()))
                .map(TargetCheck.No::message);
    }
}
