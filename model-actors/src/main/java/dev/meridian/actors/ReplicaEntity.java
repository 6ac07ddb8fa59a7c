package dev.meridian.actors;

import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.ShardingMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * A replica as the cluster addresses it, wherever it is: a sharded entity that is its own shard. It admits a request's first
 * attempt and hands it to the host of the replica on its node, which owns the weights and answers the edge itself. It
 * remembers nothing, so it moves at no cost.
 *
 * <p>A shard follows its pin with some delay. Where the replica is not here, or not here any more, the attempt goes to the
 * host that is known to serve it; else it is refused.
 */
public final class ReplicaEntity {
    /** Of all replicas; an entity's id is a {@link ReplicaId}. */
    public static final EntityTypeKey<ReplicaCommand> KEY = EntityTypeKey.create(ReplicaCommand.class, "replica");

    private ReplicaEntity() {}

    /** Each replica is a shard of its own, so that it is placed by itself. */
    public static ShardingMessageExtractor<ShardingEnvelope<ReplicaCommand>, ReplicaCommand> extractor() {
        return new ShardingMessageExtractor<>() {
            @Override
            public String entityId(ShardingEnvelope<ReplicaCommand> envelope) {
                return envelope.entityId();
            }

            @Override
            public String shardId(String entityId) {
                return entityId;
            }

            @Override
            public ReplicaCommand unwrapMessage(ShardingEnvelope<ReplicaCommand> envelope) {
                return envelope.message();
            }
        };
    }

    /**
     * The entity of a replica.
     *
     * @param held what this node holds
     * @param elsewhere the host that serves a replica by what this node knows of the others
     */
    public static Behavior<ReplicaCommand> create(
            ReplicaId id,
            HeldReplicas held,
            Function<ReplicaId, Optional<ActorRef<ReplicaCommand>>> elsewhere,
            InstantSource clock) {
        return Behaviors.receiveMessage(command -> {
            Optional<ActorRef<ReplicaCommand>> host = held.serving(id).or(() -> elsewhere.apply(id));
            if (command instanceof Submit submit && submit.deadlineEpochMillis() <= clock.millis()) {
                refuse(submit, new Refusal.DeadlineExceeded());
            } else if (host.isPresent()) {
                host.get().tell(command);
            } else if (command instanceof Submit submit) {
                refuse(submit, new Refusal.ModelNotReady(id.model()));
            }
            return Behaviors.same();
        });
    }

    private static void refuse(Submit submit, Refusal reason) {
        submit.edge().tell(new StreamEvent.Refused(submit.attempt(), reason));
    }
}
