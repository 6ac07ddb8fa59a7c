package dev.meridian.placement;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.List;
import java.util.Optional;

/**
 * How far the changes of a region are, given its pins and what its nodes say. Pure.
 *
 * <p>A drain and a placement may wait for a node that can take a replica, for as long as it takes: the first is ended by an
 * undrain, the other by its undo. An undo waits for nobody: what cannot be as it was is left as it is.
 */
final class ChangeProgress {
    private final PinTable table;
    private final RegionNodes nodes;
    private final List<Spread.Group> groups;
    private final long nowMillis;

    ChangeProgress(PinTable table, RegionNodes nodes, List<Spread.Group> groups, long nowMillis) {
        this.table = table;
        this.nodes = nodes;
        this.groups = List.copyOf(groups);
        this.nowMillis = nowMillis;
    }

    /** A change that runs, as it is now. */
    Change of(Change change) {
        boolean undo = change.verb() == Verb.UNDO;
        return switch (change.kind()) {
            case MOVE -> moved(change);
            case DRAIN -> undo ? broughtBack(change) : drained(change);
            case UNDRAIN -> undo ? drained(change) : done(change, "may hold replicas");
            case PLACE, UNPLACE -> placed(change, undo);
            case UNDO -> throw new IllegalStateException(change.id() + " undoes an undo");
        };
    }

    private Change running(Change change, String progress) {
        return change.with(State.RUNNING, progress, nowMillis);
    }

    private Change done(Change change, String progress) {
        return change.with(State.DONE, progress, nowMillis);
    }

    private Change failed(Change change, String why) {
        return change.with(State.FAILED, why, nowMillis);
    }

    private Change moved(Change change) {
        ReplicaId replica = change.replica();
        String to = change.to();
        Optional<Pin> found = replica == null ? Optional.empty() : table.pin(replica);
        if (to == null || found.isEmpty()) {
            return failed(change, "the replica is gone");
        }
        Pin pin = found.get();
        if (to.equals(pin.next())) {
            return running(change, "loads on " + to);
        }
        if (!pin.node().equals(to)) {
            return failed(change, "it is on " + pin.node() + " now");
        }
        Optional<String> failure = nodes.failure(to, pin);
        if (failure.isPresent()) {
            return failed(change, failure.get() + " before it served");
        }
        if (!nodes.has(to, pin, ReplicaState.READY)) {
            return running(change, "starts on " + to);
        }
        return nodes.held(change.from()).anyMatch(old -> old.id().equals(pin.replica()))
                ? running(change, "drains on " + change.from())
                : done(change, "serves on " + to);
    }

    private Change drained(Change change) {
        String node = change.from();
        List<Pin> left =
                table.pins().stream().filter(pin -> pin.node().equals(node)).toList();
        List<Pin> stuck = left.stream().filter(pin -> pin.next() == null).toList();
        long held = nodes.held(node).count();
        if (!stuck.isEmpty()) {
            return running(
                    change, "waits: no other node can take " + stuck.getFirst().replica());
        } else if (!left.isEmpty()) {
            return running(change, "moves " + left.size() + " of its replicas");
        }
        return held > 0 ? running(change, "lets the streams of " + held + " end") : done(change, "holds nothing");
    }

    /** The undo of a drain. */
    private Change broughtBack(Change change) {
        List<Pin> wanted = change.effect().pins();
        List<Pin> now = wanted.stream()
                .flatMap(pin -> table.pin(pin.replica()).stream())
                .toList();
        long loading =
                now.stream().filter(pin -> change.from().equals(pin.next())).count();
        List<Pin> back =
                now.stream().filter(pin -> pin.node().equals(change.from())).toList();
        long starting = back.stream().filter(this::comes).count();
        long elsewhere = back.stream().filter(pin -> loose(pin) > 0).count();
        if (loading + starting > 0) {
            return running(change, "moves " + (loading + starting) + " replicas back");
        }
        return elsewhere > 0
                ? running(change, "lets the streams of " + elsewhere + " end")
                : done(change, "may hold replicas; " + back.size() + " of " + wanted.size() + " are back");
    }

    /** Whether a pinned replica does not serve yet and probably will. */
    private boolean comes(Pin pin) {
        return pin.next() != null
                || (!nodes.has(pin.node(), pin, ReplicaState.READY)
                        && nodes.failure(pin.node(), pin).isEmpty());
    }

    /** On how many nodes a replica still is that is pinned elsewhere. */
    private long loose(Pin pin) {
        return nodes.all().stream()
                .filter(node -> !node.id().equals(pin.node()) && !node.id().equals(pin.next()))
                .flatMap(node -> nodes.held(node.id()))
                .filter(held -> held.id().equals(pin.replica()))
                .count();
    }

    private Change placed(Change change, boolean undo) {
        String model = String.valueOf(change.effect().model());
        List<Pin> pins = table.pins().stream()
                .filter(pin -> pin.replica().model().equals(model))
                .toList();
        int wanted = groups.stream()
                .filter(group -> group.model().equals(model))
                .mapToInt(Spread.Group::wanted)
                .sum();
        long coming = pins.stream().filter(this::comes).count();
        Optional<String> wait = undo ? Optional.empty() : waitsFor(model, pins, wanted);
        if (coming > 0) {
            return running(change, "loads " + coming + " of " + wanted + " replicas");
        } else if (wait.isPresent()) {
            return running(change, "waits: " + wait.get());
        } else if (isTooMany(model, pins)) {
            return running(change, "takes away what is too much");
        }
        long loose = loose(model);
        return loose > 0
                ? running(change, "lets the streams of " + loose + " end")
                : done(change, pins.isEmpty() ? "holds nothing of it" : pins.size() + " of " + wanted + " serve");
    }

    private boolean isTooMany(String model, List<Pin> pins) {
        return groups.stream()
                .filter(group -> group.model().equals(model))
                .anyMatch(group -> group.of(pins).size() > group.wanted());
    }

    /** What only another node, or a change of somebody else, could help. */
    private Optional<String> waitsFor(String model, List<Pin> pins, int wanted) {
        Optional<ModelPlacement> placement = table.placement(model);
        for (Pin pin : pins) {
            Optional<String> failure = nodes.failure(pin.node(), pin);
            boolean excluded = placement.filter(one -> !one.allows(pin.node())).isPresent();
            if (pins.size() <= wanted && failure.isPresent()) {
                return Optional.of(pin.replica() + ": " + failure.get());
            } else if (pins.size() <= wanted && excluded) {
                return Optional.of("no node that may hold it can take " + pin.replica());
            }
        }
        return pins.size() < wanted ? Optional.of("no node can take another replica of " + model) : Optional.empty();
    }

    /** How many replicas of a model are in the memory of nodes that they are not pinned to. */
    private long loose(String model) {
        return nodes.all().stream()
                .flatMap(node -> nodes.held(node.id())
                        .map(ReplicaStatus::id)
                        .filter(held -> held.model().equals(model) && !isPinned(held, node.id())))
                .count();
    }

    private boolean isPinned(ReplicaId replica, String node) {
        return table.pin(replica)
                .filter(pin -> pin.node().equals(node) || node.equals(pin.next()))
                .isPresent();
    }
}
