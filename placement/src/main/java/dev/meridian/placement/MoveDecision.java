package dev.meridian.placement;

import dev.meridian.placement.PlacementCommands.Decision;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PlacementCommand.Move;
import dev.meridian.protocol.cluster.PlacementRefusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Whether a replica may move, and how. Pure. */
final class MoveDecision {
    private MoveDecision() {}

    /** @param undoes the change that this move undoes; null where it undoes none */
    static Decision move(Situation now, Move move, @Nullable Undone undoes) {
        Optional<Pin> found = now.table().pin(move.replica());
        if (found.isEmpty()) {
            return now.refuse(PlacementRefusal.REPLICA_UNKNOWN, "there is no replica " + move.replica());
        }
        Pin pin = found.get();
        Optional<NodeFacts> target = now.node(move.to());
        if (target.isEmpty()) {
            return now.unknownNode(move.to());
        }
        Optional<TargetCheck.No> no = refusal(now, move, pin, target.get());
        if (no.isPresent()) {
            return now.refuse(no.get());
        }
        if (now.isFull()) {
            return now.refuseFull();
        }
        LoadCost cost = new LoadCost();
        List<String> plan = plan(now, pin, target.get(), cost);
        Effect effect = Effect.loading(cost.bytes(), cost.estimateMillis());
        Situation.Draft draft = new Situation.Draft(Verb.MOVE, pin.replica(), pin.node(), move.to(), plan, effect);
        Change change = now.planned(draft, move, undoes);
        if (move.dryRun()) {
            return now.only(change);
        }
        List<Pin> pins = new ArrayList<>(now.table().pins());
        pins.replaceAll(each -> each.equals(pin) ? new Pin(pin.replica(), pin.node(), now.next(), move.to()) : each);
        return now.begin(
                change.with(State.RUNNING, "loads on " + move.to(), now.nowMillis()),
                now.table().withPins(pins));
    }

    private static Optional<TargetCheck.No> refusal(Situation now, Move move, Pin pin, NodeFacts target) {
        if (move.generation() != 0 && move.generation() != pin.generation()) {
            return TargetCheck.no(
                    PlacementRefusal.STALE_GENERATION,
                    move.replica() + " is at generation " + pin.generation() + ", not " + move.generation());
        }
        if (pin.next() != null
                || now.running(change -> pin.replica().equals(change.replica())).isPresent()) {
            return TargetCheck.no(
                    PlacementRefusal.CHANGE_RUNNING,
                    move.replica() + " moves already, at generation " + pin.generation());
        }
        String model = pin.replica().model();
        Optional<Change> placing =
                now.running(change -> model.equals(change.effect().model()));
        if (placing.isPresent()) {
            return TargetCheck.no(
                    PlacementRefusal.CHANGE_RUNNING,
                    placing.get().id() + " changes the placement of " + model + " now");
        }
        if (pin.node().equals(move.to())) {
            return TargetCheck.no(PlacementRefusal.SAME_NODE, move.replica() + " is on " + move.to() + " already");
        }
        if (now.table().placement(model).filter(one -> !one.allows(move.to())).isPresent()) {
            return TargetCheck.no(
                    PlacementRefusal.NODE_EXCLUDED, model + " is placed on other nodes than " + move.to());
        }
        return TargetCheck.refusal(new TargetCheck.Question(
                target, move.replica(), now.table().pins(), now.table().draining()));
    }

    private static List<String> plan(Situation now, Pin pin, NodeFacts target, LoadCost cost) {
        String to = target.id();
        String streams = now.node(pin.node())
                .map(node ->
                        PlanText.streams(node, pin.replica(), now.settings().drainDeadline(), "go on at " + to))
                .orElse("nothing is heard of it");
        now.node(pin.node()).ifPresent(node -> cost.unload(node, pin.replica()));
        List<String> plan = new ArrayList<>(List.of(
                "load " + pin.replica() + " on " + to + ": " + PlanText.bytes(cost.load(target, pin.replica())),
                "send new requests to " + to,
                "let its streams on " + pin.node() + " end: " + streams,
                "unload it on " + pin.node()));
        cost.step(now.settings().drainDeadline()).ifPresent(plan::add);
        return plan;
    }
}
