package dev.meridian.edge.stream;

import dev.meridian.protocol.message.ReplicaCommand;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** Where attempts go. Asked for each attempt, on any thread, so it answers from memory and never blocks. */
@FunctionalInterface
public interface Replicas {
    /**
     * The replica for the next attempt at a model; empty where none is known.
     *
     * @param but where the last attempt went: given back only where there is no other; null before the first
     */
    Optional<ActorRef<ReplicaCommand>> replica(String model, @Nullable ActorRef<ReplicaCommand> but);
}
