package dev.meridian.placement;

import dev.meridian.protocol.cluster.Pin;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.cluster.sharding.ShardCoordinator;
import org.apache.pekko.dispatch.Futures;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Puts the shard of a replica where the replica is pinned, and moves it after its pin. Total: a shard that has no pin, or
 * whose node does not take part yet, goes to some other node, which passes on what comes. Called by Pekko's coordinator of a
 * region, on its thread.
 */
public final class PinnedAllocation extends ShardCoordinator.AbstractShardAllocationStrategy {
    private final Function<ActorRef, Optional<String>> nodeOf;
    private final Function<String, Optional<Pin>> pinOf;

    /**
     * A strategy.
     *
     * @param nodeOf the node of a shard region; empty where it is no member any more
     * @param pinOf the pin of a shard by what this node knows
     */
    public PinnedAllocation(Function<ActorRef, Optional<String>> nodeOf, Function<String, Optional<Pin>> pinOf) {
        this.nodeOf = nodeOf;
        this.pinOf = pinOf;
    }

    @Override
    public Future<ActorRef> allocateShard(
            ActorRef requester, String shard, Map<ActorRef, IndexedSeq<String>> allocations) {
        Map<String, ActorRef> regions = byNode(allocations.keySet());
        ActorRef chosen = pinOf.apply(shard).stream()
                .flatMap(pin -> Stream.of(pin.node(), String.valueOf(pin.next())))
                .flatMap(node -> Stream.ofNullable(regions.get(node)))
                .findFirst()
                .or(() -> regions.values().stream().findFirst())
                .orElse(requester);
        return Futures.successful(chosen);
    }

    @Override
    public Future<Set<String>> rebalance(Map<ActorRef, IndexedSeq<String>> allocations, Set<String> inProgress) {
        Map<String, ActorRef> regions = byNode(allocations.keySet());
        Set<String> away = new HashSet<>();
        allocations.forEach((region, shards) -> CollectionConverters.asJava(shards).stream()
                .filter(shard -> !inProgress.contains(shard))
                .filter(shard -> pinOf.apply(shard)
                        .flatMap(pin -> Optional.ofNullable(regions.get(pin.node())))
                        .filter(home -> !home.equals(region))
                        .isPresent())
                .forEach(away::add));
        return Futures.successful(away);
    }

    /** In the order of the nodes' ids. */
    private Map<String, ActorRef> byNode(Set<ActorRef> regions) {
        Map<String, ActorRef> byNode = new LinkedHashMap<>();
        regions.stream()
                .flatMap(region -> nodeOf.apply(region).map(node -> Map.entry(node, region)).stream())
                .sorted(Comparator.comparing(Map.Entry::getKey))
                .forEach(entry -> byNode.put(entry.getKey(), entry.getValue()));
        return byNode;
    }
}
