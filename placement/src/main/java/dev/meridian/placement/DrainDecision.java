package dev.meridian.placement;

import dev.meridian.placement.PlacementCommands.Decision;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand.Drain;
import dev.meridian.protocol.cluster.PlacementCommand.Undrain;
import dev.meridian.protocol.cluster.PlacementRefusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Whether a node may be emptied, and where everything goes. */
final class DrainDecision {
    /** Replicas that a refusal names. */
    private static final int MAX_SHOWN = 10;

    private final Situation now;
    private final String node;
    private final List<String> draining;
    private final List<String> plan = new ArrayList<>();
    private final List<String> stuck = new ArrayList<>();
    private final LoadCost cost = new LoadCost();

    private DrainDecision(Situation now, String node) {
        this.now = now;
        this.node = node;
        draining = new ArrayList<>(now.table().draining());
        draining.add(node);
    }

    /** @param undoes the change that this drain undoes; null where it undoes none */
    static Decision drain(Situation now, Drain drain, @Nullable Undone undoes) {
        return new DrainDecision(now, drain.node()).decide(drain, undoes);
    }

    private Decision decide(Drain drain, @Nullable Undone undoes) {
        if (now.node(node).isEmpty()) {
            return now.unknownNode(node);
        }
        if (now.table().draining().contains(node)) {
            return now.refuse(PlacementRefusal.CHANGE_RUNNING, node + " is drained already");
        }
        Optional<Change> refills = now.running(change -> change.verb() == Verb.UNDO
                && change.kind() == Verb.DRAIN
                && change.from().equals(node));
        if (refills.isPresent()) {
            return now.refuse(
                    PlacementRefusal.CHANGE_RUNNING,
                    refills.get().id() + " brings the replicas of " + node + " back now");
        }
        if (now.isFull()) {
            return now.refuseFull();
        }
        think();
        if (!stuck.isEmpty()) {
            String shown = String.join(", ", stuck.subList(0, Math.min(stuck.size(), MAX_SHOWN)));
            String more = stuck.size() > MAX_SHOWN ? " and " + (stuck.size() - MAX_SHOWN) + " more" : "";
            return now.refuse(PlacementRefusal.NO_ROOM, "no other node can take " + shown + more);
        }
        plan.add("place nothing on " + node + " until it is undrained");
        cost.step(now.settings().drainDeadline()).ifPresent(plan::add);
        Effect effect = Effect.loading(cost.bytes(), cost.estimateMillis());
        Situation.Draft draft = new Situation.Draft(Verb.DRAIN, null, node, null, plan, effect);
        Change change = now.planned(draft, drain, undoes);
        return drain.dryRun()
                ? now.only(change)
                : now.begin(
                        change.with(State.RUNNING, "moves its replicas", now.nowMillis()),
                        now.table().withDraining(draining));
    }

    /** As the planner will do it, one after the other, so that two do not count on the same room. */
    private void think() {
        List<Pin> pins = new ArrayList<>(now.table().pins());
        for (Pin pin : now.table().pins()) {
            if (node.equals(pin.next())) {
                plan.add("leave " + pin.replica() + " on " + pin.node());
            } else if (pin.node().equals(node) && pin.next() != null) {
                plan.add("move " + pin.replica() + " to " + pin.next() + ", as it does already: "
                        + streams(pin, "go on there"));
            } else if (pin.node().equals(node)) {
                think(pin, pins);
            }
        }
    }

    private void think(Pin pin, List<Pin> pins) {
        Optional<NodeFacts> target = now.target(pin.replica(), pins, draining);
        if (target.isPresent()) {
            NodeFacts next = target.get();
            long load = cost.load(next, pin.replica());
            pins.replaceAll(
                    each -> each.equals(pin) ? new Pin(pin.replica(), pin.node(), pin.generation(), next.id()) : each);
            plan.add("move " + pin.replica() + " to " + next.id() + ", which loads " + PlanText.bytes(load) + ": "
                    + streams(pin, "go on there"));
        } else if (hasStandIn(pin)) {
            plan.add("unload " + pin.replica() + ", which no other node can take; others of its model serve on: "
                    + streams(pin, "go on there"));
        } else {
            stuck.add(pin.replica().toString());
        }
    }

    private String streams(Pin pin, String goOn) {
        now.node(node).ifPresent(facts -> cost.unload(facts, pin.replica()));
        return now.node(node)
                .map(facts ->
                        PlanText.streams(facts, pin.replica(), now.settings().drainDeadline(), goOn))
                .orElse("");
    }

    /** A replica that another of its model stands in for may go without a place of its own. */
    private boolean hasStandIn(Pin pin) {
        return now.table().pins().stream()
                .filter(other -> other.replica().model().equals(pin.replica().model()))
                .map(Pin::node)
                .anyMatch(other -> !draining.contains(other)
                        && now.node(other).filter(NodeFacts::usable).isPresent());
    }

    static Decision undrain(Situation now, Undrain undrain) {
        String node = undrain.node();
        boolean drained = now.table().draining().contains(node);
        if (now.node(node).isEmpty() && !drained) {
            return now.unknownNode(node);
        }
        List<String> plan = List.of("let " + node + " hold replicas again");
        Effect effect = new Effect(0, 0, !drained, null, null, null, List.of(), null);
        Change change = now.planned(new Situation.Draft(Verb.UNDRAIN, null, node, null, plan, effect), undrain, null);
        return undrain.dryRun()
                ? now.only(change)
                : now.begin(change.with(State.DONE, "may hold replicas", now.nowMillis()), withoutDrain(now, node));
    }

    /** The node may hold replicas again, and a drain of it that runs has ended. */
    static PinTable withoutDrain(Situation now, String node) {
        List<String> draining = new ArrayList<>(now.table().draining());
        draining.remove(node);
        List<Change> changes = new ArrayList<>(now.table().changes());
        changes.replaceAll(each -> each.state() == State.RUNNING && each.empties(node)
                ? each.with(State.UNDONE, "undrained before it was empty", now.nowMillis())
                : each);
        return now.table().withDraining(draining).withChanges(changes);
    }
}
