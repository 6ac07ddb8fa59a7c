package dev.meridian.placement;

import dev.meridian.placement.PlacementCommands.Decision;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand.Place;
import dev.meridian.protocol.cluster.PlacementCommand.Unplace;
import dev.meridian.protocol.cluster.PlacementRefusal;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Whether a region may hold so many replicas of a model, and what that takes. Pure. */
final class PlaceDecision {
    private PlaceDecision() {}

    static Decision place(Situation now, Place place) {
        ModelPlacement wanted = place.wanted();
        Optional<TargetCheck.No> no = busy(now, wanted.model(), _ -> true).or(() -> infeasible(now, wanted));
        if (no.isPresent()) {
            return now.refuse(no.get());
        }
        if (now.isFull()) {
            return now.refuseFull();
        }
        SpreadPlan plan =
                SpreadPlan.of(now, now.table(), wanted.model(), Optional.of(wanted), List.of(), new LoadCost());
        if (plan.no().isPresent()) {
            return now.refuse(plan.no().get());
        }
        Change change = now.planned(
                new Situation.Draft(Verb.PLACE, null, "", null, plan.steps(), effect(now, wanted, plan.cost())),
                place,
                null);
        return place.dryRun()
                ? now.only(change)
                : now.begin(
                        change.with(State.RUNNING, "begins", now.nowMillis()),
                        now.table().withPlacement(wanted.model(), wanted));
    }

    static Decision unplace(Situation now, Unplace unplace) {
        String model = unplace.model();
        Optional<TargetCheck.No> no = busy(now, model, _ -> true)
                .or(() -> unknown(now, model))
                .or(() -> unplace.force() ? Optional.empty() : last(now, model))
                .or(() -> tooManyPlacements(now, model));
        if (no.isPresent()) {
            return now.refuse(no.get());
        }
        if (now.isFull()) {
            return now.refuseFull();
        }
        ModelPlacement none = new ModelPlacement(model, 0, List.of());
        SpreadPlan plan = SpreadPlan.of(now, now.table(), model, Optional.of(none), List.of(), new LoadCost());
        Change change = now.planned(
                new Situation.Draft(Verb.UNPLACE, null, "", null, plan.steps(), effect(now, none, plan.cost())),
                unplace,
                null);
        return unplace.dryRun()
                ? now.only(change)
                : now.begin(
                        change.with(State.RUNNING, "begins", now.nowMillis()),
                        now.table().withPlacement(model, none));
    }

    private static Effect effect(Situation now, ModelPlacement wanted, LoadCost cost) {
        String model = wanted.model();
        PinTable table = now.table();
        List<Pin> pins = table.pins().stream()
                .filter(pin -> pin.replica().model().equals(model))
                .toList();
        return new Effect(
                        cost.bytes(),
                        cost.estimateMillis(),
                        false,
                        model,
                        wanted,
                        table.placement(model).orElse(null),
                        List.of(),
                        null)
                .withPins(pins);
    }

    /** A change of the same model that runs, if it is one of those. */
    static Optional<TargetCheck.No> busy(Situation now, String model, Predicate<Change> counts) {
        return now.running(change -> change.isAbout(model) && counts.test(change))
                .flatMap(change -> TargetCheck.no(
                        PlacementRefusal.CHANGE_RUNNING,
                        change.id() + " changes where " + model + " is now; wait until it is over"));
    }

    private static Optional<TargetCheck.No> forbidden(Situation now, String model) {
        return now.forbidden().contains(model)
                ? TargetCheck.no(
                        PlacementRefusal.RESIDENCY_FORBIDS,
                        "the residency of " + model + " does not allow region "
                                + now.table().region())
                : Optional.empty();
    }

    /** Nobody here has it or has had it. */
    private static Optional<TargetCheck.No> unknown(Situation now, String model) {
        boolean known = now.nodes().stream()
                        .flatMap(node -> node.bundles().stream())
                        .anyMatch(bundle -> bundle.id().equals(model))
                || now.table().pins().stream()
                        .anyMatch(pin -> pin.replica().model().equals(model));
        return known
                ? Optional.empty()
                : TargetCheck.no(
                        PlacementRefusal.MODEL_UNKNOWN,
                        "no node of region " + now.table().region() + " has a bundle " + model);
    }

    private static Optional<TargetCheck.No> tooManyPlacements(Situation now, String model) {
        return now.table().placement(model).isPresent()
                        || now.table().placements().size() < PinTable.MAX_PLACEMENTS
                ? Optional.empty()
                : TargetCheck.no(
                        PlacementRefusal.NO_ROOM,
                        PinTable.MAX_PLACEMENTS + " models of region "
                                + now.table().region() + " are placed already");
    }

    /** Whether nobody would serve the model any more, as far as one hears. */
    static Optional<TargetCheck.No> last(Situation now, String model) {
        return now.servedElsewhere().contains(model)
                ? Optional.empty()
                : TargetCheck.no(PlacementRefusal.LAST_REPLICA, "no other region serves " + model);
    }

    /** Whether there are so many nodes that could hold it, their memory aside. */
    static Optional<TargetCheck.No> infeasible(Situation now, ModelPlacement wanted) {
        String model = wanted.model();
        Optional<TargetCheck.No> no =
                forbidden(now, model).or(() -> unknown(now, model)).or(() -> tooManyPlacements(now, model));
        for (String id : wanted.nodes()) {
            no = no.or(() -> now.node(id)
                    .map(node -> unable(now, node, model))
                    .orElseGet(() -> TargetCheck.no(
                            PlacementRefusal.NODE_UNKNOWN,
                            "there is no node " + id + " in region "
                                    + now.table().region())));
        }
        return no.or(() -> tooFew(now, wanted));
    }

    private static Optional<TargetCheck.No> tooFew(Situation now, ModelPlacement wanted) {
        List<String> able = now.nodes().stream()
                .filter(node -> wanted.allows(node.id())
                        && unable(now, node, wanted.model()).isEmpty())
                .map(NodeFacts::id)
                .toList();
        return wanted.replicas() <= able.size()
                ? Optional.empty()
                : TargetCheck.no(
                        PlacementRefusal.TOO_FEW_NODES,
                        PlanText.count(wanted.replicas(), "replica") + " of " + wanted.model() + ", one on a node, and "
                                + PlanText.count(able.size(), "node") + " can hold one");
    }

    private static Optional<TargetCheck.No> unable(Situation now, NodeFacts node, String model) {
        if (now.table().draining().contains(node.id())) {
            return TargetCheck.no(PlacementRefusal.NODE_DRAINING, "node " + node.id() + " is drained");
        } else if (!node.usable()) {
            return TargetCheck.no(
                    PlacementRefusal.NODE_NOT_READY,
                    "node " + node.id() + " does not answer, holds no models or stops");
        }
        return node.bundles().stream().anyMatch(bundle -> bundle.id().equals(model))
                ? Optional.empty()
                : TargetCheck.no(PlacementRefusal.BUNDLE_MISSING, "node " + node.id() + " has no bundle " + model);
    }
}
