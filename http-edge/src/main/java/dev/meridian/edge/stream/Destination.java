package dev.meridian.edge.stream;

import dev.meridian.protocol.message.ReplicaCommand;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * A replica's host, and where it stands.
 *
 * @param replica its id
 */
public record Destination(ActorRef<ReplicaCommand> host, String region, String node, String replica) {
    /** What a client is told of it. */
    public String servedBy() {
        return region + "/" + node + "/" + replica;
    }
}
