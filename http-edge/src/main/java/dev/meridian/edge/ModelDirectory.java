package dev.meridian.edge;

import dev.meridian.edge.stream.Replicas;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ResumeMessage;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * The local routing table: which models this edge can reach, and the replica that the next attempt goes to. Read for
 * each request and from any thread, so an implementation answers from memory and never blocks.
 */
public interface ModelDirectory extends Replicas {
    /** Where this edge is. */
    String region();

    /** The id of its node. */
    String node();

    /** What asks another edge of this region for a stream that it keeps; empty where there is none of that name. */
    default Optional<ActorRef<ResumeMessage>> streamKeeper(String node) {
        return Optional.empty();
    }

    /** Every model that clients may name, in the order in which they are listed. */
    List<ServedModel> models();

    /** The model of that name. */
    Optional<ServedModel> find(String id);

    /** Whether there are models, and all of them are only loaded once they are asked for. */
    default boolean loadsOnDemand() {
        return false;
    }

    /**
     * What must answer before this node counts as ready.
     *
     * @param replica the one replica that is placed here; null where any may answer for the model
     * @param host of that replica; null where it is not loaded yet, or any may answer
     */
    record Duty(
            ServedModel model,
            @Nullable String replica,
            @Nullable ActorRef<ReplicaCommand> host) {}

    /** Where nothing is placed here, all models, by whichever replica. */
    default List<Duty> duties() {
        return models().stream().map(model -> new Duty(model, null, null)).toList();
    }
}
