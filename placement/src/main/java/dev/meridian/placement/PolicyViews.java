package dev.meridian.placement;

import dev.meridian.placement.policy.Demand;
import dev.meridian.placement.policy.PolicyView;
import dev.meridian.placement.policy.PolicyView.Held;
import dev.meridian.placement.policy.PolicyView.Host;
import dev.meridian.placement.policy.PolicyView.Model;
import dev.meridian.placement.policy.PolicyView.Region;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/** What a node knows of the cluster, as policies need it. Pure functions. */
public final class PolicyViews {
    private PolicyViews() {}

    /**
     * A picture.
     *
     * @param region of the node that looks: of other regions only the way to this one is known
     * @param tables the pins of a region as this node knows them
     * @param ageMillis of a pin
     */
    public static PolicyView of(
            ClusterView view,
            String region,
            Function<String, PinTable> tables,
            ToLongFunction<Pin> ageMillis,
            PlacementSettings settings,
            long nowNanos,
            long nowMillis) {
        Map<String, List<NodeView>> regions = new TreeMap<>(view.nodes().stream()
                .collect(Collectors.groupingBy(node -> node.status().region())));
        Map<String, Long> rtts = new TreeMap<>();
        regions.forEach((id, nodes) -> nodes.stream()
                .mapToLong(NodeView::rttMicros)
                .filter(rtt -> rtt != NodeView.NO_RTT)
                .min()
                .ifPresent(rtt -> rtts.put(id, rtt)));
        rtts.remove(region);
        Map<String, Model> models = new TreeMap<>();
        view.nodes().stream()
                .flatMap(node -> node.status().bundles().stream())
                .forEach(bundle -> models.merge(bundle.id(), model(view, bundle), PolicyViews::larger));
        List<Region> all = regions.entrySet().stream()
                .map(entry -> {
                    String id = entry.getKey();
                    PinTable table = tables.apply(id);
                    Map<String, Long> known =
                            id.equals(region) ? rtts : rtts.containsKey(id) ? Map.of(region, rtts.get(id)) : Map.of();
                    return new Region(
                            id,
                            known,
                            hosts(view, id, table, settings, nowNanos),
                            table.pins().stream()
                                    .map(pin -> held(view, pin, ageMillis.applyAsLong(pin)))
                                    .toList(),
                            table.placements().stream()
                                    .collect(Collectors.toMap(ModelPlacement::model, placement -> placement)));
                })
                .toList();
        return new PolicyView(nowMillis, all, models);
    }

    private static Model model(ClusterView view, ModelInfo bundle) {
        return new Model(bundle.id(), bundle.neededBytes(), view.residency(bundle.id()));
    }

    private static Model larger(Model one, Model other) {
        return one.neededBytes() >= other.neededBytes() ? one : other;
    }

    private static List<Host> hosts(
            ClusterView view, String region, PinTable table, PlacementSettings settings, long nowNanos) {
        return NodeFacts.of(view, region, settings, nowNanos).stream()
                .map(node -> new Host(
                        node.id(),
                        node.usable() && !table.draining().contains(node.id()),
                        node.budgetBytes(),
                        node.bundles().stream().map(ModelInfo::id).collect(Collectors.toUnmodifiableSet()),
                        node.bundles().stream()
                                .collect(Collectors.toMap(ModelInfo::id, ModelInfo::neededBytes, Math::max))))
                .toList();
    }

    private static Held held(ClusterView view, Pin pin, long ageMillis) {
        Optional<ReplicaStatus> status = view.node(pin.node())
                .flatMap(node -> node.status().replicas().stream()
                        .filter(replica -> replica.id().equals(pin.replica()))
                        .findFirst());
        return new Held(
                pin.replica().model(),
                pin.node(),
                status.filter(replica -> replica.state() == ReplicaState.READY).isPresent(),
                ageMillis,
                status.map(replica -> replica.queueDepth() + replica.runningSequences())
                        .orElse(0));
    }

    /** What the edges of nodes that are heard have counted. */
    public static Demand demand(ClusterView view, PlacementSettings settings, long nowNanos) {
        return Demand.of(view.nodes().stream()
                .filter(node ->
                        node.silentNanos(nowNanos) <= settings.rehomeAfter().toNanos())
                .map(node ->
                        new Demand.Counted(node.status().region(), node.status().demand()))
                .toList());
    }
}
