package dev.meridian.edge.stream;

import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** Where attempts go. Asked for each attempt, on any thread, so it answers from memory and never blocks. */
public interface Replicas {
    /**
     * The replica for the next attempt at a model; empty where none is known that the residency allows.
     *
     * @param but where the last attempt went: given back only where there is no other; null before the first
     */
    Optional<Destination> replica(String model, Residency residency, @Nullable ActorRef<ReplicaCommand> but);

    /**
     * What is to come where {@link #replica} finds none.
     *
     * @param estimateMillis until it serves; -1 where nobody knows
     */
    record Coming(long estimateMillis) {}

    /** Whether some node that the residency allows can load the model, so that a request may wait for it. */
    default Optional<Coming> coming(String model, Residency residency) {
        return Optional.empty();
    }

    /** Where a host stands; empty where that is not known. */
    Optional<Destination> destination(ActorRef<ReplicaCommand> host);

    /** The generation by which the replica of that host is known, for {@link Submit#epoch}; 0 where it has none. */
    default long epoch(ActorRef<ReplicaCommand> host) {
        return 0;
    }

    /**
     * Sends a request's first attempt to that host, or to whoever admits for its replica. Later attempts go to their hosts
     * without asking anybody.
     */
    default void submitFirst(ActorRef<ReplicaCommand> host, Submit submit) {
        host.tell(submit);
    }

    /** What {@link #submitFirst} sent brought its first token after so long. */
    default void firstToken(ActorRef<ReplicaCommand> host, long nanos) {}

    /** What {@link #submitFirst} sent was not answered in time. */
    default void firstUnanswered(ActorRef<ReplicaCommand> host) {}
}
