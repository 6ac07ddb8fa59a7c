package dev.meridian.placement;

import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.ActorRef;

/** What a node knows of the cluster at one moment: an immutable picture. */
public final class ClusterView {
    private static final ClusterView EMPTY = new ClusterView(List.of());

    private final Map<String, NodeView> nodes = new TreeMap<>();
    private final Map<String, List<Candidate>> candidates = new TreeMap<>();
    private final Map<ActorRef<ReplicaCommand>, Candidate> hosts = new HashMap<>();
    private final Map<String, Residency> residencies = new HashMap<>();
    private final Map<String, ModelInfo> models = new TreeMap<>();
    private final Map<String, ModelInfo> bundles = new TreeMap<>();

    /** A replica that has a host, and the node that holds it. */
    public record Candidate(NodeView node, ReplicaStatus replica) {}

    public ClusterView(Collection<NodeView> nodes) {
        for (NodeView node : nodes) {
            this.nodes.put(node.id(), node);
        }
        for (NodeView node : this.nodes.values()) {
            node.status().bundles().forEach(bundle -> {
                bind(bundle);
                bundles.putIfAbsent(bundle.id(), bundle);
            });
            for (ReplicaStatus replica : node.status().replicas()) {
                models.putIfAbsent(replica.model().id(), replica.model());
                bind(replica.model());
                ActorRef<ReplicaCommand> host = replica.host();
                if (host != null) {
                    hosts.put(host, new Candidate(node, replica));
                }
                if (host != null
                        && (replica.state() == ReplicaState.READY || replica.state() == ReplicaState.STANDBY)) {
                    candidates
                            .computeIfAbsent(replica.model().id(), _ -> new ArrayList<>())
                            .add(new Candidate(node, replica));
                }
            }
        }
        bundles.putAll(models);
        models.replaceAll((id, model) -> model.with(residency(id)));
        bundles.replaceAll((id, model) -> model.with(residency(id)));
    }

    public static ClusterView empty() {
        return EMPTY;
    }

    private void bind(ModelInfo model) {
        residencies.merge(model.id(), model.residency(), Residency::and);
    }

    /** Where a model may be held and its requests may go, as far as anybody says. */
    public Residency residency(String model) {
        return residencies.getOrDefault(model, Residency.ANYWHERE);
    }

    /** By id. */
    public List<NodeView> nodes() {
        return List.copyOf(nodes.values());
    }

    public Optional<NodeView> node(String id) {
        return Optional.ofNullable(nodes.get(id));
    }

    /** Models that some node holds or loads, by id. */
    public List<ModelInfo> models() {
        return List.copyOf(models.values());
    }

    /** Models that some node holds, loads or could load, by id. */
    public List<ModelInfo> known() {
        return List.copyOf(bundles.values());
    }

    /** One of {@link #known}, with the residency that all nodes together say. */
    public Optional<ModelInfo> model(String id) {
        return Optional.ofNullable(bundles.get(id));
    }

    /** What a host holds. */
    public Optional<ReplicaId> replicaOf(ActorRef<ReplicaCommand> host) {
        return at(host).map(candidate -> candidate.replica().id());
    }

    /** The replica of a host, and its node. */
    public Optional<Candidate> at(ActorRef<ReplicaCommand> host) {
        return Optional.ofNullable(hosts.get(host));
    }

    /** The host of a replica on that node. */
    public Optional<ActorRef<ReplicaCommand>> hostOf(String node, ReplicaId replica) {
        return candidates(replica.model()).stream()
                .filter(candidate -> candidate.node().id().equals(node)
                        && candidate.replica().id().equals(replica))
                .findFirst()
                .flatMap(candidate -> Optional.ofNullable(candidate.replica().host()));
    }

    /** Replicas of a model that have a host, whether their nodes are heard or not. */
    public List<Candidate> candidates(String model) {
        return candidates.getOrDefault(model, List.of());
    }
}
