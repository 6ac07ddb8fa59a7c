package dev.meridian.placement;

import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.ReplicaId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** How many replicas of what a region should have, and which of them go where there are too many. Pure functions. */
final class Spread {
    private Spread() {}

    /** One bundle under one name. */
    record Variant(String model, String digest) implements Comparable<Variant> {
        @Override
        public int compareTo(Variant other) {
            return Comparator.comparing(Variant::model)
                    .thenComparing(Variant::digest)
                    .compare(this, other);
        }
    }

    /**
     * Bundles that count together.
     *
     * @param variants of one model
     * @param wanted replicas of all of them together
     */
    record Group(String model, List<Variant> variants, int wanted) {
        List<Pin> of(Collection<Pin> pins) {
            return pins.stream()
                    .filter(pin -> pin.replica().model().equals(model))
                    .filter(pin ->
                            variants.contains(new Variant(model, pin.replica().digest())))
                    .toList();
        }
    }

    /** The bundles that the nodes have. */
    static Set<Variant> variants(Collection<NodeFacts> nodes) {
        Set<Variant> known = new TreeSet<>();
        for (NodeFacts node : nodes) {
            for (ModelInfo bundle : node.bundles()) {
                known.add(new Variant(bundle.id(), bundle.digest()));
            }
        }
        return known;
    }

    /** What should be: of a model that an operator has placed that many, of each bundle of the others what is wanted. */
    static List<Group> groups(Collection<NodeFacts> nodes, Collection<ModelPlacement> placements, Wanted wanted) {
        Map<String, ModelPlacement> placed = new TreeMap<>();
        placements.forEach(placement -> placed.put(placement.model(), placement));
        Map<String, List<Variant>> models = new TreeMap<>();
        for (Variant variant : variants(nodes)) {
            if (ReplicaId.canName(variant.model(), variant.digest())) {
                models.computeIfAbsent(variant.model(), _ -> new ArrayList<>()).add(variant);
            }
        }
        List<Group> groups = new ArrayList<>();
        models.forEach((model, variants) -> {
            ModelPlacement placement = placed.get(model);
            if (placement != null) {
                groups.add(new Group(model, variants, placement.replicas()));
            } else {
                variants.forEach(variant -> groups.add(new Group(model, List.of(variant), wanted.of(model))));
            }
        });
        return groups;
    }

    /** What a group's next replica may be called, one name for each of its bundles. */
    static List<ReplicaId> names(String region, Group group, Collection<Pin> pins) {
        Set<ReplicaId> used = new TreeSet<>();
        pins.forEach(pin -> used.add(pin.replica()));
        return group.variants().stream()
                .flatMap(variant -> IntStream.rangeClosed(1, pins.size() + 1)
                        .limit(ReplicaId.MAX_NUMBER)
                        .mapToObj(number -> new ReplicaId(region, variant.model(), variant.digest(), number))
                        .filter(name -> !used.contains(name))
                        .limit(1))
                .toList();
    }

    /**
     * Who goes first.
     *
     * @param placement of the model
     * @param draining nodes that are emptied
     * @param favoured these stay before others
     */
    record Order(RegionNodes nodes, Optional<ModelPlacement> placement, List<String> draining, Set<ReplicaId> favoured)
            implements Comparator<Pin> {
        Order {
            draining = List.copyOf(draining);
            favoured = Set.copyOf(favoured);
        }

        @Override
        public int compare(Pin one, Pin other) {
            return Comparator.comparing(
                            (Pin pin) -> nodes.failure(pin.node(), pin).isEmpty())
                    .thenComparing(this::mayStay)
                    .thenComparing(pin -> favoured.contains(pin.replica()))
                    .thenComparing(nodes::isSettled)
                    .thenComparingLong(this::freeBytes)
                    .thenComparing(Pin::replica, Comparator.reverseOrder())
                    .compare(one, other);
        }

        private boolean mayStay(Pin pin) {
            return placement.filter(one -> !one.allows(pin.node())).isEmpty()
                    && !draining.contains(pin.node())
                    && !nodes.isLeaving(pin.node());
        }

        private long freeBytes(Pin pin) {
            return nodes.find(pin.node())
                    .map(node -> node.budgetBytes() - node.reservedBytes())
                    .orElse(0L);
        }
    }

    /** Those that go, the first one first; empty where there are not too many. */
    static List<Pin> surplus(Group group, Collection<Pin> pins, Order order) {
        List<Pin> pinned = group.of(pins);
        return pinned.stream()
                .sorted(order)
                .limit(Math.max(0, pinned.size() - group.wanted()))
                .toList();
    }
}
