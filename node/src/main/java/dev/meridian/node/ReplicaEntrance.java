package dev.meridian.node;

import dev.meridian.actors.HeldReplicas;
import dev.meridian.actors.ReplicaEntity;
import dev.meridian.placement.PinnedAllocation;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to the replicas of the own region by Cluster Sharding. Where it is not there yet, or did not answer a moment ago,
 * requests go straight to the replica's host: after the death of a node sharding needs many seconds to find its shards a new
 * home, and no client should wait for that. To other regions there is no such way: a proxy there would have to agree to each
 * move of a shard, which then waits while the regions are cut off from each other. Thread-safe.
 */
final class ReplicaEntrance {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaEntrance.class);
    private static final Duration AVOIDED_FOR = Duration.ofSeconds(5);

    private final String region;
    private final LongSupplier nanoClock;
    private final CompletableFuture<ActorRef<ShardingEnvelope<ReplicaCommand>>> shards;
    private final Map<ReplicaId, Long> avoidedUntil = new ConcurrentHashMap<>();

    /**
     * Opens it, in a while.
     *
     * @param elsewhere the host that serves a replica by what this node knows of the others
     */
    ReplicaEntrance(
            ActorSystem<?> system,
            String region,
            HeldReplicas held,
            Function<ReplicaId, Optional<ActorRef<ReplicaCommand>>> elsewhere,
            PinnedAllocation allocation,
            InstantSource clock,
            LongSupplier nanoClock) {
        this.region = region;
        this.nanoClock = nanoClock;
        Entity<ReplicaCommand, ShardingEnvelope<ReplicaCommand>> entity = Entity.of(
                        ReplicaEntity.KEY,
                        context -> ReplicaEntity.create(ReplicaId.parse(context.getEntityId()), held, elsewhere, clock))
                .withMessageExtractor(ReplicaEntity.extractor())
                .withAllocationStrategy(allocation)
                .withRole(ClusterSettings.MODEL);
        shards = CompletableFuture.supplyAsync(
                        () -> ClusterSharding.get(system).init(entity),
                        system.dispatchers().lookup(DispatcherSelector.blocking()))
                .whenComplete((_, failure) -> {
                    if (failure != null) {
                        LOG.error("no sharding of the replicas of {}", region, failure);
                    }
                });
    }

    /** Sends a first attempt by sharding; false, and nothing is sent, where it had better go straight to the host. */
    boolean tell(ReplicaId replica, Submit submit) {
        return !isAvoided(replica) && send(replica, submit);
    }

    /** Lets sharding learn where a replica is before somebody waits for it: by the cancellation of an attempt that never was. */
    void find(ReplicaId replica) {
        send(replica, new ReplicaCommand.Cancel(new Attempt("find", 1)));
    }

    private boolean send(ReplicaId replica, ReplicaCommand command) {
        if (!replica.region().equals(region) || !shards.isDone() || shards.isCompletedExceptionally()) {
            return false;
        }
        shards.join().tell(new ShardingEnvelope<>(replica.toString(), command));
        return true;
    }

    private boolean isAvoided(ReplicaId replica) {
        Long until = avoidedUntil.get(replica);
        return until != null && until - nanoClock.getAsLong() > 0;
    }

    /** An attempt that went by sharding was not answered. */
    void avoid(ReplicaId replica) {
        avoidedUntil.put(replica, nanoClock.getAsLong() + AVOIDED_FOR.toNanos());
    }
}
