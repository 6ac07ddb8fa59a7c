package dev.meridian.protocol.cluster;

import java.util.List;
import java.util.Objects;
import org.apache.pekko.actor.typed.ActorRef;

/** What the nodes' directories tell each other. */
public sealed interface NodeMessage {
    /**
     * Sent by each node to all others every interval. Newer ones, by incarnation and sequence, take the place of older ones.
     *
     * @param node the sender's id, unique in the cluster
     * @param incarnation grows with each start of the node
     * @param sequence grows with each status of one incarnation
     * @param leaving it stops: nothing new may be sent there
     * @param draining an operator takes its replicas away
     * @param bundles what its disk holds
     * @param hears nodes that it heard of late, itself not among them: a witness for those who do not
     * @param demand what this node's edge counts of models that were asked for; empty where it has none
     * @param loadBytesPerSecond of memory that its loads fill, measured at the last ones; 0 where none was made yet
     * @param directory where {@link StatusSeen} goes
     */
    record NodeStatus(
            String node,
            String region,
            List<String> roles,
            long incarnation,
            long sequence,
            boolean leaving,
            boolean draining,
            long budgetBytes,
            long reservedBytes,
            List<ModelInfo> bundles,
            List<ReplicaStatus> replicas,
            List<String> hears,
            List<ModelDemand> demand,
            long loadBytesPerSecond,
            ActorRef<NodeMessage> directory)
            implements NodeMessage {
        public NodeStatus {
            Objects.requireNonNull(directory);
            roles = List.copyOf(roles);
            bundles = List.copyOf(bundles);
            replicas = List.copyOf(replicas);
            hears = List.copyOf(hears);
            demand = List.copyOf(demand);
        }

        /** Whether this one says what {@code other} does not know yet. */
        public boolean isNewerThan(NodeStatus other) {
            return incarnation == other.incarnation ? sequence > other.sequence : incarnation > other.incarnation;
        }
    }

    /** {@code by} got that status: its sender learns how far away {@code by} is. */
    record StatusSeen(String by, long incarnation, long sequence) implements NodeMessage {}
}
