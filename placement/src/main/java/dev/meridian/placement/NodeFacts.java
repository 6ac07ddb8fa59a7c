package dev.meridian.placement;

import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.List;
import java.util.Optional;

/**
 * What a region's placement knows of one of its nodes.
 *
 * @param usable whether it is heard, holds models and does not leave: it can take replicas
 * @param leaving whether it is about to stop, or holds models no more: what it has goes elsewhere, and it serves meanwhile
 * @param gone whether it was silent for so long that its replicas go elsewhere
 * @param loadBytesPerSecond as it measured at its last loads; 0 where it made none yet
 */
public record NodeFacts(
        String id,
        boolean usable,
        boolean leaving,
        boolean gone,
        long budgetBytes,
        long reservedBytes,
        long loadBytesPerSecond,
        List<ModelInfo> bundles,
        List<ReplicaStatus> replicas) {
    static final String MODEL_ROLE = "model";

    public NodeFacts {
        bundles = List.copyOf(bundles);
        replicas = List.copyOf(replicas);
    }

    /** Of the nodes of a region that a view holds. */
    static List<NodeFacts> of(ClusterView view, String region, PlacementSettings settings, long nowNanos) {
        return view.nodes().stream()
                .filter(node -> node.status().region().equals(region))
                .map(node -> of(view, node, settings, nowNanos))
                .toList();
    }

    /** A bundle that may not be in the region is no bundle to its placement. */
    private static NodeFacts of(ClusterView view, NodeView node, PlacementSettings settings, long nowNanos) {
        NodeStatus status = node.status();
        long silent = node.silentNanos(nowNanos);
        boolean leaving = status.leaving() || !status.roles().contains(MODEL_ROLE);
        return new NodeFacts(
                node.id(),
                !leaving && silent <= settings.silence().toNanos(),
                leaving,
                silent > settings.rehomeAfter().toNanos(),
                status.budgetBytes(),
                status.reservedBytes(),
                status.loadBytesPerSecond(),
                status.bundles().stream()
                        .filter(bundle -> view.residency(bundle.id()).allows(status.region()))
                        .toList(),
                status.replicas());
    }

    Optional<ReplicaStatus> replica(ReplicaId id) {
        return replicas.stream().filter(replica -> replica.id().equals(id)).findFirst();
    }

    boolean has(ReplicaId id, ReplicaState state) {
        return replica(id).filter(replica -> replica.state() == state).isPresent();
    }

    /** Whether it says so in the knowledge of the pin: what it said before may have been about an earlier stay. */
    boolean has(Pin pin, ReplicaState state) {
        return replica(pin.replica())
                .filter(replica -> replica.state() == state && replica.generation() >= pin.generation())
                .isPresent();
    }

    /** Whether it is heard and cannot load it, because its disk has no such bundle. */
    boolean lacks(ReplicaId id) {
        return usable && bundle(id.model(), id.digest()).isEmpty();
    }

    Optional<ModelInfo> bundle(String model, String digest) {
        return bundles.stream()
                .filter(bundle -> bundle.id().equals(model) && bundle.digest().equals(digest))
                .findFirst();
    }
}
