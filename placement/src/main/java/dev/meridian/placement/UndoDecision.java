package dev.meridian.placement;

import dev.meridian.placement.PlacementCommands.Decision;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand.Drain;
import dev.meridian.protocol.cluster.PlacementCommand.Move;
import dev.meridian.protocol.cluster.PlacementCommand.Undo;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.ReplicaId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Whether a change may be undone, and what that takes. A change of a model's placement may be undone while it runs, for it
 * may wait for long; others are awaited.
 */
final class UndoDecision {
    private final Situation now;
    private final Undo undo;
    private final Change change;
    private final List<Pin> pins;
    private final List<Pin> back = new ArrayList<>();
    private final List<String> plan = new ArrayList<>();
    private final LoadCost cost = new LoadCost();

    private UndoDecision(Situation now, Undo undo, Change change) {
        this.now = now;
        this.undo = undo;
        this.change = change;
        pins = new ArrayList<>(now.table().pins());
    }

    static Decision undo(Situation now, Undo undo) {
        Optional<Change> found = now.table().change(undo.change());
        if (found.isEmpty()) {
            return now.refuse(
                    PlacementRefusal.CHANGE_UNKNOWN,
                    "there is no change " + undo.change() + " in region "
                            + now.table().region());
        }
        Optional<TargetCheck.No> no =
                over(now, found.get()).or(() -> superseded(now, found.get())).or(() -> elsewhere(now, found.get()));
        return no.isPresent() ? now.refuse(no.get()) : new UndoDecision(now, undo, found.get()).decide();
    }

    /** Whether the change is one that has happened and was not taken back. */
    private static Optional<TargetCheck.No> over(Situation now, Change change) {
        String id = change.id();
        if (change.verb() == Verb.UNDO) {
            return TargetCheck.no(
                    PlacementRefusal.UNDO_OF_UNDO, id + " is an undo itself; ask for what it has undone again");
        } else if (change.state() == State.UNDONE) {
            return TargetCheck.no(PlacementRefusal.ALREADY_UNDONE, id + " is undone already");
        } else if (change.state() == State.FAILED) {
            return TargetCheck.no(PlacementRefusal.CHANGE_FAILED, id + " has failed, and there is nothing to undo");
        } else if (change.effect().idle()) {
            return TargetCheck.no(PlacementRefusal.NOTHING_TO_UNDO, id + " has changed nothing");
        }
        Optional<Change> undoing = now.running(other -> undoes(other, Set.of(id)));
        if (undoing.isPresent()) {
            return TargetCheck.no(PlacementRefusal.CHANGE_RUNNING, undoing.get().id() + " undoes " + id + " already");
        }
        boolean mayRun = change.verb() == Verb.PLACE || change.verb() == Verb.UNPLACE;
        return change.state() == State.RUNNING && !mayRun
                ? TargetCheck.no(PlacementRefusal.CHANGE_RUNNING, id + " runs still; wait until it is over")
                : Optional.empty();
    }

    private static boolean undoes(Change undo, Set<String> ids) {
        Undone undone = undo.effect().undoes();
        return undone != null && ids.contains(undone.id());
    }

    /** Whether a later change, which was not taken back, is about the same. */
    private static Optional<TargetCheck.No> superseded(Situation now, Change change) {
        List<Change> all = now.table().changes();
        List<Change> later = all.subList(all.indexOf(change) + 1, all.size());
        Set<String> ids = later.stream().map(Change::id).collect(Collectors.toSet());
        return later.stream()
                .filter(other -> other.state() != State.FAILED && other.state() != State.UNDONE)
                .filter(other -> !undoes(other, ids) && isAboutTheSame(other, change))
                .reduce((_, last) -> last)
                .flatMap(last -> TargetCheck.no(
                        PlacementRefusal.SUPERSEDED,
                        last.id() + " has changed the same after " + change.id() + "; undo that first"));
    }

    private static boolean isAboutTheSame(Change later, Change change) {
        ReplicaId replica = change.replica();
        String model = change.effect().model();
        if (replica != null) {
            return replica.equals(later.replica())
                    || replica.model().equals(later.effect().model())
                    || later.effect().pins().stream()
                            .anyMatch(pin -> pin.replica().equals(replica));
        } else if (model != null) {
            return later.isAbout(model);
        }
        return later.from().equals(change.from()) && (later.kind() == Verb.DRAIN || later.kind() == Verb.UNDRAIN);
    }

    /** Whether the placement itself has moved the replica on since, as when a node was lost. */
    private static Optional<TargetCheck.No> elsewhere(Situation now, Change change) {
        ReplicaId replica = change.replica();
        return Optional.ofNullable(replica)
                .flatMap(id -> now.table().pin(id))
                .filter(pin -> !pin.node().equals(change.to()))
                .flatMap(pin -> TargetCheck.no(
                        PlacementRefusal.SUPERSEDED,
                        pin.replica() + " is on " + pin.node() + " by now, where " + change.id() + " has not put it"));
    }

    private Decision decide() {
        Undone undone = new Undone(change.id(), change.verb());
        return switch (change.verb()) {
            case MOVE -> moveBack(undone);
            case DRAIN -> refill(undone);
            case UNDRAIN ->
                DrainDecision.drain(
                        now,
                        new Drain(change.from(), undo.dryRun(), undo.by(), undo.idempotencyKey(), undo.replyTo()),
                        undone);
            case PLACE, UNPLACE ->
                restore(undone, String.valueOf(change.effect().model()));
            case UNDO -> throw new IllegalStateException("an undo is not undone");
        };
    }

    private Decision moveBack(Undone undone) {
        ReplicaId replica = change.replica();
        if (replica == null) {
            throw new IllegalStateException(change.id() + " moves nothing");
        }
        Move move =
                new Move(replica, change.from(), undo.dryRun(), undo.by(), 0, undo.idempotencyKey(), undo.replyTo());
        return MoveDecision.move(now, move, undone);
    }

    private Decision refill(Undone undone) {
        if (now.isFull()) {
            return now.refuseFull();
        }
        String node = change.from();
        List<String> draining = new ArrayList<>(now.table().draining());
        draining.remove(node);
        plan.add("let " + node + " hold replicas again");
        for (Pin moved : change.effect().pins()) {
            Optional<Pin> is = now.table().pin(moved.replica());
            boolean isThere = is.filter(pin -> pin.node().equals(moved.node()) && pin.next() == null)
                    .isPresent();
            if (isThere) {
                bringBack(moved.replica(), node, draining)
                        .ifPresent(why ->
                                plan.add("leave " + moved.replica() + " on " + moved.node() + ": " + why.message()));
            } else {
                plan.add("leave " + moved.replica() + ", which has moved since"
                        + is.map(pin -> ", on " + pin.node()).orElse(""));
            }
        }
        cost.step(now.settings().drainDeadline()).ifPresent(plan::add);
        Effect effect = Effect.loading(cost.bytes(), cost.estimateMillis()).withPins(back);
        Situation.Draft draft = new Situation.Draft(Verb.DRAIN, null, node, null, plan, effect);
        return begin(draft, undone, DrainDecision.withoutDrain(now, node).withPins(pins));
    }

    /** Pins a replica, or has it moved, to where it was; says why where that cannot be. */
    private Optional<TargetCheck.No> bringBack(ReplicaId replica, String node, List<String> draining) {
        Optional<NodeFacts> target = now.node(node);
        if (target.isEmpty()) {
            return TargetCheck.no(PlacementRefusal.NODE_UNKNOWN, "there is no node " + node);
        }
        Optional<TargetCheck.No> no =
                TargetCheck.refusal(new TargetCheck.Question(target.get(), replica, pins, draining));
        if (no.isPresent()) {
            return no;
        }
        Optional<Pin> is = now.table().pin(replica);
        long load = cost.load(target.get(), replica);
        back.add(new Pin(replica, node, now.next(), null));
        plan.add((is.isPresent() ? "move " + replica + " back to " : "load " + replica + " on ") + node + ": "
                + PlanText.bytes(load) + is.map(this::streams).orElse(""));
        pins.removeIf(pin -> pin.replica().equals(replica));
        pins.add(is.map(pin -> new Pin(replica, pin.node(), now.next(), node))
                .orElseGet(() -> new Pin(replica, node, now.next(), null)));
        return Optional.empty();
    }

    private String streams(Pin pin) {
        now.node(pin.node()).ifPresent(node -> cost.unload(node, pin.replica()));
        return now.node(pin.node())
                .map(node -> "; "
                        + PlanText.streams(node, pin.replica(), now.settings().drainDeadline(), "go on there"))
                .orElse("");
    }

    private Decision restore(Undone undone, String model) {
        Optional<ModelPlacement> before = Optional.ofNullable(change.effect().before());
        Optional<TargetCheck.No> no = PlaceDecision.busy(
                        now, model, other -> !other.id().equals(change.id()))
                .or(() -> before.flatMap(one ->
                        one.replicas() == 0 ? PlaceDecision.last(now, model) : PlaceDecision.infeasible(now, one)));
        if (no.isPresent()) {
            return now.refuse(no.get());
        }
        if (now.isFull()) {
            return now.refuseFull();
        }
        for (Pin was : change.effect().pins()) {
            Optional<Pin> is = now.table().pin(was.replica());
            boolean wanted = before.filter(one -> one.replicas() == 0 || !one.allows(was.node()))
                    .isEmpty();
            boolean stays = is.filter(pin -> pin.next() != null || pin.node().equals(was.node()))
                    .isPresent();
            if (wanted && !stays) {
                bringBack(was.replica(), was.node(), now.table().draining());
            }
        }
        SpreadPlan rest = SpreadPlan.of(
                now, now.table().withPins(pins), model, before, change.effect().pins(), cost);
        if (rest.no().isPresent()) {
            return now.refuse(rest.no().get());
        }
        plan.addAll(rest.steps());
        Effect effect = new Effect(
                        cost.bytes(),
                        cost.estimateMillis(),
                        false,
                        model,
                        change.effect().before(),
                        now.table().placement(model).orElse(null),
                        List.of(),
                        null)
                .withPins(change.effect().pins());
        Situation.Draft draft = new Situation.Draft(change.verb(), null, "", null, plan, effect);
        return begin(
                draft,
                undone,
                now.table().withPins(pins).withPlacement(model, change.effect().before()));
    }

    private Decision begin(Situation.Draft draft, Undone undone, PinTable changed) {
        Change planned = now.planned(draft, undo, undone);
        return undo.dryRun()
                ? now.only(planned)
                : now.begin(planned.with(State.RUNNING, "begins", now.nowMillis()), changed);
    }
}
