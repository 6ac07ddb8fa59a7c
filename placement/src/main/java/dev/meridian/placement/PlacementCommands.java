package dev.meridian.placement;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementCommand.Drain;
import dev.meridian.protocol.cluster.PlacementCommand.Move;
import dev.meridian.protocol.cluster.PlacementCommand.Undrain;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.PlacementReply.Planned;
import dev.meridian.protocol.cluster.PlacementReply.Refused;
import dev.meridian.protocol.cluster.ReplicaId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a region's placement does with an operator's command: a reply, and the table that follows. Pure but for new ids. */
final class PlacementCommands {
    /** Replicas that a refusal names. */
    private static final int MAX_SHOWN = 10;

    private final PinTable table;
    private final Collection<NodeFacts> nodes;
    private final long nowMillis;

    /** The table is the one that was there where nothing changes. */
    record Decision(PlacementReply reply, PinTable table) {}

    PlacementCommands(PinTable table, Collection<NodeFacts> nodes, long nowMillis) {
        this.table = table;
        this.nodes = List.copyOf(nodes);
        this.nowMillis = nowMillis;
    }

    Decision decide(PlacementCommand command) {
        return switch (command) {
            case Move move -> move(move);
            case Drain drain -> drain(drain);
            case Undrain undrain -> undrain(undrain);
        };
    }

    private Decision move(Move move) {
        Optional<Change> earlier = earlier(move.idempotencyKey());
        if (earlier.isPresent()) {
            Change change = earlier.get();
            boolean same = change.verb() == Verb.MOVE
                    && move.replica().equals(change.replica())
                    && move.to().equals(change.to());
            return again(change, same);
        }
        Optional<Pin> found = table.pin(move.replica());
        if (found.isEmpty()) {
            return refuse(PlacementRefusal.REPLICA_UNKNOWN, "there is no replica " + move.replica());
        }
        Pin pin = found.get();
        Optional<NodeFacts> target = node(move.to());
        if (target.isEmpty()) {
            return refuse(
                    PlacementRefusal.NODE_UNKNOWN, "there is no node " + move.to() + " in region " + table.region());
        }
        if (move.generation() != 0 && move.generation() != pin.generation()) {
            return refuse(
                    PlacementRefusal.STALE_GENERATION,
                    move.replica() + " is at generation " + pin.generation() + ", not " + move.generation());
        }
        if (pin.next() != null || running(pin)) {
            return refuse(
                    PlacementRefusal.CHANGE_RUNNING,
                    move.replica() + " moves already, at generation " + pin.generation());
        }
        if (pin.node().equals(move.to())) {
            return refuse(PlacementRefusal.SAME_NODE, move.replica() + " is on " + move.to() + " already");
        }
        Optional<TargetCheck.No> no = TargetCheck.refusal(
                new TargetCheck.Question(target.get(), move.replica(), table.pins(), table.draining()));
        if (no.isPresent()) {
            return refuse(no.get().reason(), no.get().message());
        }
        if (isFull()) {
            return refuseFull();
        }
        List<String> plan = List.of(
                "load " + move.replica() + " on " + move.to(),
                "send new requests to " + move.to(),
                "let its streams on " + pin.node() + " end, or go on at " + move.to() + " after the drain deadline",
                "unload it on " + pin.node());
        Change change = change(Verb.MOVE, move, pin.replica(), pin.node(), move.to(), plan);
        if (move.dryRun()) {
            return new Decision(new Planned(change), table);
        }
        Change running = change.with(State.RUNNING, "loads on " + move.to(), nowMillis);
        List<Pin> pins = new ArrayList<>(table.pins());
        pins.replaceAll(each -> each.equals(pin) ? new Pin(pin.replica(), pin.node(), next(), move.to()) : each);
        return new Decision(new Planned(running), after(pins, table.draining(), running));
    }

    private Decision drain(Drain drain) {
        Optional<Change> earlier = earlier(drain.idempotencyKey());
        if (earlier.isPresent()) {
            return again(
                    earlier.get(),
                    earlier.get().verb() == Verb.DRAIN && earlier.get().from().equals(drain.node()));
        }
        if (node(drain.node()).isEmpty()) {
            return refuse(
                    PlacementRefusal.NODE_UNKNOWN, "there is no node " + drain.node() + " in region " + table.region());
        }
        if (table.draining().contains(drain.node())) {
            return refuse(PlacementRefusal.CHANGE_RUNNING, drain.node() + " is drained already");
        }
        if (isFull()) {
            return refuseFull();
        }
        List<String> draining = new ArrayList<>(table.draining());
        draining.add(drain.node());
        List<String> plan = new ArrayList<>();
        List<String> stuck = new ArrayList<>();
        // As the planner will do it, one after the other, so that two do not count on the same room.
        List<Pin> pins = new ArrayList<>(table.pins());
        for (Pin pin : table.pins()) {
            if (drain.node().equals(pin.next())) {
                plan.add("leave " + pin.replica() + " on " + pin.node());
            } else if (pin.node().equals(drain.node())) {
                String next = pin.next() != null ? pin.next() : target(pin, pins, draining);
                if (next != null) {
                    pins.replaceAll(each ->
                            each.equals(pin) ? new Pin(pin.replica(), pin.node(), pin.generation(), next) : each);
                    plan.add("move " + pin.replica() + " to " + next);
                } else if (hasStandIn(pin, draining)) {
                    plan.add("unload " + pin.replica()
                            + ": no other node can take it, and others of its model serve on");
                } else {
                    stuck.add(pin.replica().toString());
                }
            }
        }
        if (!stuck.isEmpty()) {
            String shown = String.join(", ", stuck.subList(0, Math.min(stuck.size(), MAX_SHOWN)));
            String more = stuck.size() > MAX_SHOWN ? " and " + (stuck.size() - MAX_SHOWN) + " more" : "";
            return refuse(PlacementRefusal.NO_ROOM, "no other node can take " + shown + more);
        }
        plan.add("place nothing on " + drain.node() + " until it is undrained");
        Change change = change(Verb.DRAIN, drain, null, drain.node(), null, plan);
        if (drain.dryRun()) {
            return new Decision(new Planned(change), table);
        }
        Change running = change.with(State.RUNNING, "moves its replicas", nowMillis);
        return new Decision(new Planned(running), after(table.pins(), draining, running));
    }

    private @Nullable String target(Pin pin, List<Pin> pins, List<String> draining) {
        return TargetCheck.choose(nodes, pin.replica(), pins, draining)
                .map(NodeFacts::id)
                .orElse(null);
    }

    /** A replica that another of its model stands in for may go without a place of its own. */
    private boolean hasStandIn(Pin pin, List<String> draining) {
        return table.pins().stream()
                .filter(other -> other.replica().model().equals(pin.replica().model()))
                .map(Pin::node)
                .anyMatch(other -> !draining.contains(other)
                        && node(other).filter(NodeFacts::usable).isPresent());
    }

    private Decision undrain(Undrain undrain) {
        Optional<Change> earlier = earlier(undrain.idempotencyKey());
        if (earlier.isPresent()) {
            return again(
                    earlier.get(),
                    earlier.get().verb() == Verb.UNDRAIN && earlier.get().from().equals(undrain.node()));
        }
        if (node(undrain.node()).isEmpty() && !table.draining().contains(undrain.node())) {
            return refuse(
                    PlacementRefusal.NODE_UNKNOWN,
                    "there is no node " + undrain.node() + " in region " + table.region());
        }
        List<String> plan = List.of("let " + undrain.node() + " hold replicas again");
        Change change = change(Verb.UNDRAIN, undrain, null, undrain.node(), null, plan);
        if (undrain.dryRun()) {
            return new Decision(new Planned(change), table);
        }
        List<String> draining = new ArrayList<>(table.draining());
        draining.remove(undrain.node());
        Change done = change.with(State.DONE, "may hold replicas", nowMillis);
        List<Change> changes = new ArrayList<>(table.changes());
        changes.replaceAll(
                each -> each.verb() == Verb.DRAIN && each.from().equals(undrain.node()) && each.state() == State.RUNNING
                        ? each.with(State.UNDONE, "undrained before it was empty", nowMillis)
                        : each);
        PinTable changed = new PinTable(table.region(), table.generation(), table.pins(), draining, changes);
        return new Decision(
                new Planned(done),
                new PlacementCommands(changed, nodes, nowMillis).after(table.pins(), draining, done));
    }

    private long next() {
        return table.generation() + 1;
    }

    private PinTable after(List<Pin> pins, List<String> draining, Change added) {
        List<Change> changes = new ArrayList<>(table.changes());
        changes.add(added);
        while (changes.size() > PinTable.MAX_CHANGES) {
            changes.remove(oldestThatIsOver(changes));
        }
        return new PinTable(table.region(), next(), pins, draining, changes);
    }

    private static int oldestThatIsOver(List<Change> changes) {
        for (int i = 0; i < changes.size(); i++) {
            if (changes.get(i).state().isOver()) {
                return i;
            }
        }
        throw new IllegalStateException(changes.size() + " changes run");
    }

    /** Changes that run are not forgotten. */
    private boolean isFull() {
        return table.changes().stream()
                        .filter(change -> !change.state().isOver())
                        .count()
                >= PinTable.MAX_CHANGES;
    }

    private Decision refuseFull() {
        return refuse(
                PlacementRefusal.CHANGE_RUNNING, PinTable.MAX_CHANGES + " changes run already; wait until one is over");
    }

    private Change change(
            Verb verb,
            PlacementCommand command,
            @Nullable ReplicaId replica,
            String from,
            @Nullable String to,
            List<String> plan) {
        return new Change(
                "chg-" + UUID.randomUUID().toString().substring(0, 13),
                verb,
                command.by(),
                replica,
                from,
                to,
                plan,
                State.PLANNED,
                "",
                next(),
                nowMillis,
                nowMillis,
                command.idempotencyKey());
    }

    private boolean running(Pin pin) {
        return table.changes().stream()
                .anyMatch(change ->
                        change.state() == State.RUNNING && pin.replica().equals(change.replica()));
    }

    private Optional<Change> earlier(@Nullable String key) {
        return key == null
                ? Optional.empty()
                : table.changes().stream()
                        .filter(change -> Objects.equals(key, change.idempotencyKey()))
                        .findFirst();
    }

    private Decision again(Change earlier, boolean same) {
        return same
                ? new Decision(new Planned(earlier), table)
                : refuse(
                        PlacementRefusal.IDEMPOTENCY_KEY_REUSED,
                        "that Idempotency-Key was used for " + earlier.id() + ", another change");
    }

    private Optional<NodeFacts> node(String id) {
        return nodes.stream().filter(node -> node.id().equals(id)).findFirst();
    }

    private Decision refuse(PlacementRefusal reason, String message) {
        return new Decision(new Refused(reason, message), table);
    }
}
