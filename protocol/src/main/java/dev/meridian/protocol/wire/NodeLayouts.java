package dev.meridian.protocol.wire;

import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.NodeMessage.StatusSeen;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.cluster.Residency;

/** What nodes tell each other about themselves. */
final class NodeLayouts {
    static final Layout<ModelInfo> MODEL_INFO = Layout.of(
            ModelInfo.class,
            (out, model) -> {
                out.writeText("model", Caps.NAME, model.id());
                out.writeText("digest", Caps.LABEL, model.digest());
                out.writeNumber(model.contextTokens());
                out.writeNumber(model.vocabSize());
                out.writeNumber(model.createdEpochSeconds());
                out.writeText("weights", Caps.LABEL, model.weights());
                out.writeNumber(model.neededBytes());
                out.writeRecord(model.residency());
            },
            in -> new ModelInfo(
                    in.readText("model", Caps.NAME),
                    in.readText("digest", Caps.LABEL),
                    in.readNumber(),
                    in.readNumber(),
                    in.readLongNumber(),
                    in.readText("weights", Caps.LABEL),
                    in.readLongNumber(),
                    in.readRecord(Residency.class)));

    static final Layout<Residency> RESIDENCY = Layout.of(
            Residency.class,
            (out, residency) -> {
                out.writeBoolean(residency.anywhere());
                out.writeList(
                        "regions",
                        Caps.REGIONS,
                        residency.regions(),
                        region -> out.writeText("region", Caps.LABEL, region));
            },
            in -> new Residency(
                    in.readFlag("anywhere"),
                    in.readList("regions", Caps.REGIONS, () -> in.readText("region", Caps.LABEL))));

    static final Layout<ReplicaId> REPLICA_ID = Layout.of(
            ReplicaId.class,
            (out, id) -> {
                out.writeText("region", Caps.LABEL, id.region());
                out.writeText("model", Caps.NAME, id.model());
                out.writeText("digest", Caps.LABEL, id.digest());
                out.writeNumber(id.number());
            },
            in -> new ReplicaId(
                    in.readText("region", Caps.LABEL),
                    in.readText("model", Caps.NAME),
                    in.readText("digest", Caps.LABEL),
                    in.readNumber()));

    static final Layout<ReplicaStatus> REPLICA_STATUS = Layout.of(
            ReplicaStatus.class,
            (out, replica) -> {
                out.writeRecord(replica.id());
                out.writeNumber(replica.generation());
                Codes.REPLICA_STATES.write(out, replica.state());
                out.writeRecord(replica.model());
                out.writeNumber(replica.queueDepth());
                out.writeNumber(replica.runningSequences());
                out.writeFloat(replica.tokensPerSecond());
                out.writeNullable(replica.host(), host -> out.writeRef("host", host));
            },
            in -> new ReplicaStatus(
                    in.readRecord(ReplicaId.class),
                    in.readLongNumber(),
                    Codes.REPLICA_STATES.read(in),
                    in.readRecord(ModelInfo.class),
                    in.readNumber(),
                    in.readNumber(),
                    in.readFloat(),
                    in.readNullable("host", () -> in.readRef("host"))));

    static final Layout<NodeStatus> NODE_STATUS = Layout.of(
            NodeStatus.class,
            (out, status) -> {
                out.writeText("node", Caps.LABEL, status.node());
                out.writeText("region", Caps.LABEL, status.region());
                out.writeList("roles", Caps.ROLES, status.roles(), role -> out.writeText("role", Caps.LABEL, role));
                out.writeNumber(status.incarnation());
                out.writeNumber(status.sequence());
                out.writeBoolean(status.leaving());
                out.writeBoolean(status.draining());
                out.writeNumber(status.budgetBytes());
                out.writeNumber(status.reservedBytes());
                out.writeList("bundles", Caps.BUNDLES, status.bundles(), out::writeRecord);
                out.writeList("replicas", Caps.REPLICAS, status.replicas(), out::writeRecord);
                out.writeList("hears", Caps.NODES, status.hears(), node -> out.writeText("node", Caps.LABEL, node));
                out.writeList("demand", Caps.BUNDLES, status.demand(), out::writeRecord);
                out.writeNumber(status.loadBytesPerSecond());
                out.writeRef("directory", status.directory());
            },
            in -> new NodeStatus(
                    in.readText("node", Caps.LABEL),
                    in.readText("region", Caps.LABEL),
                    in.readList("roles", Caps.ROLES, () -> in.readText("role", Caps.LABEL)),
                    in.readLongNumber(),
                    in.readLongNumber(),
                    in.readFlag("leaving"),
                    in.readFlag("draining"),
                    in.readLongNumber(),
                    in.readLongNumber(),
                    in.readList("bundles", Caps.BUNDLES, () -> in.readRecord(ModelInfo.class)),
                    in.readList("replicas", Caps.REPLICAS, () -> in.readRecord(ReplicaStatus.class)),
                    in.readList("hears", Caps.NODES, () -> in.readText("node", Caps.LABEL)),
                    in.readList("demand", Caps.BUNDLES, () -> in.readRecord(ModelDemand.class)),
                    in.readLongNumber(),
                    in.readRef("directory")));

    static final Layout<ModelDemand> MODEL_DEMAND = Layout.of(
            ModelDemand.class,
            (out, demand) -> {
                out.writeText("model", Caps.NAME, demand.model());
                out.writeDouble(demand.requestsPerSecond());
                out.writeDouble(demand.tokensPerSecond());
                out.writeDouble(demand.streams());
                out.writeNumber(demand.waiting());
                out.writeNumber(demand.waitingMillis());
                out.writeNumber(demand.idleMillis());
            },
            in -> new ModelDemand(
                    in.readText("model", Caps.NAME),
                    in.readDouble(),
                    in.readDouble(),
                    in.readDouble(),
                    in.readNumber(),
                    in.readLongNumber(),
                    in.readLongNumber()));

    static final Layout<StatusSeen> STATUS_SEEN = Layout.of(
            StatusSeen.class,
            (out, seen) -> {
                out.writeText("node", Caps.LABEL, seen.by());
                out.writeNumber(seen.incarnation());
                out.writeNumber(seen.sequence());
            },
            in -> new StatusSeen(in.readText("node", Caps.LABEL), in.readLongNumber(), in.readLongNumber()));

    private NodeLayouts() {}
}
