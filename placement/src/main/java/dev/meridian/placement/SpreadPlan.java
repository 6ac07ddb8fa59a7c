package dev.meridian.placement;

import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.ReplicaId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the planner will make of a model's placement, thought through in advance with what the nodes say now.
 *
 * @param steps for a person to read
 * @param cost of all loads
 * @param no why it cannot be done now
 */
record SpreadPlan(List<String> steps, LoadCost cost, Optional<TargetCheck.No> no) {
    SpreadPlan {
        steps = List.copyOf(steps);
    }

    /**
     * Thinks.
     *
     * @param begun the table with what the change itself does to pins
     * @param placement of the model that is to come; empty where the usual number is to hold
     * @param favoured replicas that stay before others
     * @param cost of what the change itself loads; what the rest loads is added
     */
    static SpreadPlan of(
            Situation now,
            PinTable begun,
            String model,
            Optional<ModelPlacement> placement,
            Collection<Pin> favoured,
            LoadCost cost) {
        Thought thought = new Thought(now, begun, placement, cost);
        List<ModelPlacement> placements = new ArrayList<>(now.table().placements());
        placements.removeIf(one -> one.model().equals(model));
        placement.ifPresent(placements::add);
        Set<ReplicaId> stay = favoured.stream().map(Pin::replica).collect(Collectors.toSet());
        Spread.groups(now.nodes(), placements, now.wanted()).stream()
                .filter(group -> group.model().equals(model))
                .forEach(group -> thought.think(group, stay));
        return thought.result(model);
    }

    /** The pins as they become, step by step. */
    private static final class Thought {
        private final Situation now;
        private final Optional<ModelPlacement> placement;
        private final List<String> draining;
        private final List<Pin> pins;
        private final List<String> steps = new ArrayList<>();
        private final List<String> goes = new ArrayList<>();
        private final LoadCost cost;
        private TargetCheck.@Nullable No no;

        Thought(Situation now, PinTable begun, Optional<ModelPlacement> placement, LoadCost cost) {
            this.now = now;
            this.placement = placement;
            this.cost = cost;
            draining = begun.draining();
            pins = new ArrayList<>(begun.pins());
        }

        void think(Spread.Group group, Set<ReplicaId> favoured) {
            Spread.Order order = new Spread.Order(now.regionNodes(), placement, draining, favoured);
            for (Pin pin : Spread.surplus(group, pins, order)) {
                pins.remove(pin);
                String when = group.wanted() > 0 ? " once the others serve" : "";
                goes.add("unload " + pin.replica() + " on " + pin.node() + when + ": "
                        + streams(pin, group.wanted() > 0));
            }
            boolean found = true;
            while (found && group.of(pins).size() < group.wanted()) {
                found = add(group);
            }
            for (Pin pin : group.of(pins)) {
                if (pin.next() == null
                        && placement.filter(one -> !one.allows(pin.node())).isPresent()) {
                    move(pin);
                }
            }
        }

        private boolean add(Spread.Group group) {
            List<ReplicaId> names = Spread.names(now.table().region(), group, group.of(pins));
            for (ReplicaId name : names) {
                Optional<NodeFacts> target = target(name);
                if (target.isPresent()) {
                    load(name, target.get());
                    pins.add(new Pin(name, target.get().id(), now.next(), null));
                    return true;
                }
            }
            Optional<Eviction> eviction = placement.isEmpty()
                    ? Optional.empty()
                    : names.stream()
                            .flatMap(name -> Eviction.cheapest(now, allowed(), name, pins).stream())
                            .findFirst();
            eviction.ifPresent(this::evict);
            no = placement.isPresent() && no == null && eviction.isEmpty() ? reason(names.getFirst()) : no;
            return eviction.isPresent();
        }

        private void evict(Eviction eviction) {
            for (Pin pin : eviction.goes()) {
                pins.remove(pin);
                steps.add("evict " + pin.replica() + " on " + pin.node() + ", which serves nobody now");
            }
            load(eviction.replica(), eviction.node());
            pins.add(new Pin(eviction.replica(), eviction.node().id(), now.next(), null));
        }

        private void move(Pin pin) {
            Optional<NodeFacts> target = target(pin.replica());
            if (target.isPresent()) {
                load(pin.replica(), target.get());
                pins.remove(pin);
                pins.add(new Pin(
                        pin.replica(), pin.node(), now.next(), target.get().id()));
                goes.add("unload it on " + pin.node() + " once it serves there: " + streams(pin, true));
            } else if (no == null) {
                no = reason(pin.replica());
            }
        }

        private void load(ReplicaId replica, NodeFacts target) {
            long load = cost.load(target, replica);
            steps.add("load " + replica + " on " + target.id() + ": " + PlanText.bytes(load));
        }

        private List<NodeFacts> allowed() {
            return now.nodes().stream()
                    .filter(node ->
                            placement.filter(one -> !one.allows(node.id())).isEmpty())
                    .toList();
        }

        private Optional<NodeFacts> target(ReplicaId replica) {
            return TargetCheck.choose(allowed(), replica, pins, draining);
        }

        /** Of all nodes' reasons the one that helps most: how much memory is missing. */
        private TargetCheck.No reason(ReplicaId replica) {
            List<TargetCheck.No> all = allowed().stream()
                    .flatMap(node ->
                            TargetCheck.refusal(new TargetCheck.Question(node, replica, pins, draining)).stream())
                    .toList();
            return all.stream()
                    .filter(one -> one.reason() == PlacementRefusal.OVER_BUDGET)
                    .findFirst()
                    .or(() -> all.stream()
                            .filter(one -> one.reason() != PlacementRefusal.ALREADY_THERE)
                            .findFirst())
                    .orElse(new TargetCheck.No(PlacementRefusal.NO_ROOM, "no node can take " + replica));
        }

        private String streams(Pin pin, boolean here) {
            now.node(pin.node()).ifPresent(node -> cost.unload(node, pin.replica()));
            boolean elsewhere =
                    here || now.servedElsewhere().contains(pin.replica().model());
            String goOn = elsewhere ? "go on elsewhere" : "fail, for nobody else serves the model";
            return now.node(pin.node())
                    .map(node ->
                            PlanText.streams(node, pin.replica(), now.settings().drainDeadline(), goOn))
                    .orElse("nothing is heard of its node");
        }

        SpreadPlan result(String model) {
            List<String> all = new ArrayList<>(steps);
            all.addAll(goes);
            String region = now.table().region();
            all.add(placement
                    .map(one -> one.replicas() == 0
                            ? "place nothing of " + model + " in " + region
                            : "hold " + PlanText.count(one.replicas(), "replica") + " of " + model + " in " + region
                                    + (one.nodes().isEmpty() ? "" : ", only on " + shown(one.nodes())))
                    .orElse((now.wanted().exact() ? "leave it to the policy, which now wants " : "hold the usual ")
                            + PlanText.count(now.wanted().of(model), "replica") + " of " + model + " in " + region));
            cost.step(now.settings().drainDeadline()).ifPresent(all::add);
            return new SpreadPlan(all, cost, Optional.ofNullable(no));
        }

        private static String shown(List<String> nodes) {
            int most = 10;
            return String.join(", ", nodes.subList(0, Math.min(nodes.size(), most)))
                    + (nodes.size() > most ? " and " + (nodes.size() - most) + " more" : "");
        }
    }
}
