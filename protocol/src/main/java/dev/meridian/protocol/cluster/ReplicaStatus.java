package dev.meridian.protocol.cluster;

import dev.meridian.protocol.message.ReplicaCommand;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * A replica as the node that holds it sees it.
 *
 * @param generation of the pin that put it there
 * @param queueDepth sequences that wait for a slot or for their prompt's tokens
 * @param runningSequences sequences that hold a slot
 * @param tokensPerSecond generated, of late
 * @param host where a Submit may go past sharding; null but while STANDBY, READY or DRAINING
 */
public record ReplicaStatus(
        ReplicaId id,
        long generation,
        ReplicaState state,
        ModelInfo model,
        int queueDepth,
        int runningSequences,
        float tokensPerSecond,
        @Nullable ActorRef<ReplicaCommand> host) {}
