package dev.meridian.placement;

import dev.meridian.placement.policy.ModelRules;
import dev.meridian.placement.policy.PolicySettings;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a placement knows of a node, put together fact by fact: heard, with room for ten models, holding nothing. */
final class Facts {
    static final String REGION = "eu";
    static final String DIGEST = "0123456789ab";
    static final long WEIGHT = 10;

    private final String node;
    private final List<ModelInfo> bundles = new ArrayList<>();
    private final List<ReplicaStatus> replicas = new ArrayList<>();
    private boolean usable = true;
    private boolean leaving;
    private boolean gone;
    private long budgetBytes = 10 * WEIGHT;
    private long loadBytesPerSecond;

    private Facts(String node) {
        this.node = node;
    }

    static Facts of(String node) {
        return new Facts(node);
    }

    /** The defaults, but for the number of replicas. */
    static PlacementSettings settings(int replicas) {
        return new PlacementSettings(
                Duration.ofMillis(250),
                Duration.ofMillis(750),
                Duration.ofSeconds(3),
                Duration.ofHours(1),
                replicas,
                Duration.ofSeconds(30),
                Duration.ofMillis(100),
                Duration.ofSeconds(1),
                Duration.ofMinutes(10),
                Duration.ofMinutes(1),
                new PolicySettings(
                        "follow-demand",
                        Duration.ofSeconds(30),
                        1,
                        Duration.ofSeconds(5),
                        new ModelRules(replicas, 4, 16, false, Duration.ofMinutes(10), List.of()),
                        Map.of()));
    }

    static ReplicaId replica(String model, int number) {
        return new ReplicaId(REGION, model, DIGEST, number);
    }

    static ModelInfo model(String id) {
        return new ModelInfo(id, DIGEST, 100, 100, 0, "int4", WEIGHT, Residency.ANYWHERE);
    }

    static ReplicaStatus status(ReplicaId id, ReplicaState state, long generation) {
        return new ReplicaStatus(id, generation, state, model(id.model()), 0, 0, 0, null);
    }

    Facts offers(String... models) {
        for (String model : models) {
            bundles.add(model(model));
        }
        return this;
    }

    Facts offers(ModelInfo bundle) {
        bundles.add(bundle);
        return this;
    }

    Facts holds(ReplicaId id, ReplicaState state, long generation) {
        replicas.add(status(id, state, generation));
        return this;
    }

    Facts budget(long bytes) {
        budgetBytes = bytes;
        return this;
    }

    Facts loads(long bytesPerSecond) {
        loadBytesPerSecond = bytesPerSecond;
        return this;
    }

    /** Not heard of late, and not for long enough that its replicas go elsewhere. */
    Facts silent() {
        usable = false;
        return this;
    }

    Facts gone() {
        usable = false;
        gone = true;
        return this;
    }

    Facts leaving() {
        usable = false;
        leaving = true;
        return this;
    }

    NodeFacts build() {
        long reserved = replicas.stream()
                .filter(replica -> replica.state() != ReplicaState.FAILED)
                .mapToLong(replica -> replica.model().neededBytes())
                .sum();
        return new NodeFacts(node, usable, leaving, gone, budgetBytes, reserved, loadBytesPerSecond, bundles, replicas);
    }
}
