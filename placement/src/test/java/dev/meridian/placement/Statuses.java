package dev.meridian.placement;

import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import dev.meridian.protocol.message.ReplicaCommand;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** What nodes say of themselves. */
final class Statuses {
    private Statuses() {}

    static NodeStatus status(
            String node, String region, long incarnation, long sequence, ActorRef<NodeMessage> directory) {
        return status(node, region, incarnation, sequence, false, List.of(), directory);
    }

    static NodeStatus status(
            String node,
            String region,
            long incarnation,
            long sequence,
            boolean leaving,
            List<ReplicaStatus> replicas,
            ActorRef<NodeMessage> directory) {
        return new NodeStatus(
                node,
                region,
                List.of("edge", "model"),
                incarnation,
                sequence,
                leaving,
                false,
                100,
                10,
                List.of(),
                replicas,
                List.of(),
                List.of(),
                0,
                directory);
    }

    static ReplicaStatus replica(
            String region, String model, ReplicaState state, int load, @Nullable ActorRef<ReplicaCommand> host) {
        ModelInfo info = Facts.model(model);
        return new ReplicaStatus(
                new ReplicaId(region, model, Facts.DIGEST, 1), 1, state, info, load / 2, load - load / 2, 0, host);
    }
}
