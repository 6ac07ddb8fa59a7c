package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.cluster.Pin;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

final class PinnedAllocationTest {
    private static final String SHARD = Facts.replica("m", 1).toString();

    private final ActorTestKit kit = ActorTestKit.create();
    private final Map<ActorRef, String> nodes = new HashMap<>();
    private final ActorRef one = region("eu-1");
    private final ActorRef two = region("eu-2");
    private final Map<String, Pin> pins = new HashMap<>();
    private final PinnedAllocation allocation = new PinnedAllocation(
            region -> Optional.ofNullable(nodes.get(region)), shard -> Optional.ofNullable(pins.get(shard)));

    @AfterEach
    void shutdown() {
        kit.shutdownTestKit();
    }

    private ActorRef region(String node) {
        ActorRef region = Adapter.toClassic(kit.createTestProbe().getRef());
        nodes.put(region, node);
        return region;
    }

    private static IndexedSeq<String> shards(String... shards) {
        return CollectionConverters.asScala(List.of(shards)).toIndexedSeq();
    }

    private static <T> T result(Future<T> future) {
        return FutureConverters.asJava(future)
                .toCompletableFuture()
                .orTimeout(1, TimeUnit.SECONDS)
                .join();
    }

    private void pin(String node, String next) {
        pins.put(SHARD, new Pin(Facts.replica("m", 1), node, 1, next.isEmpty() ? null : next));
    }

    private ActorRef allocate() {
        return result(allocation.allocateShard(one, SHARD, Map.of(one, shards(), two, shards())));
    }

    @Test
    void aShardGoesWhereItsReplicaIsPinned() {
        pin("eu-2", "");
        assertThat(allocate()).isEqualTo(two);
        pin("eu-1", "eu-2");
        assertThat(allocate()).isEqualTo(one);
    }

    @Test
    void whereThatNodeDoesNotTakePartTheNextOneGetsIt() {
        pin("eu-9", "eu-2");
        assertThat(allocate()).isEqualTo(two);
    }

    @Test
    void withoutAPinAnyNodeGetsIt() {
        assertThat(allocate()).isEqualTo(one);
        pin("eu-9", "");
        assertThat(allocate()).isEqualTo(one);
    }

    @Test
    void whereNoNodeIsKnownWhoAsksGetsIt() {
        assertThat(result(allocation.allocateShard(two, SHARD, Map.of()))).isEqualTo(two);
        nodes.clear();
        assertThat(result(allocation.allocateShard(two, SHARD, Map.of(one, shards(SHARD)))))
                .isEqualTo(two);
    }

    @Test
    void aShardFollowsItsPin() {
        pin("eu-2", "");
        Map<ActorRef, IndexedSeq<String>> before = Map.of(one, shards(SHARD, "other"), two, shards());
        assertThat(result(allocation.rebalance(before, Set.of()))).containsExactly(SHARD);
        assertThat(result(allocation.rebalance(before, Set.of(SHARD)))).isEmpty();
        Map<ActorRef, IndexedSeq<String>> after = Map.of(one, shards("other"), two, shards(SHARD));
        assertThat(result(allocation.rebalance(after, Set.of()))).isEmpty();
    }

    @Test
    void aShardStaysWhereItIsUntilItsNewNodeTakesPart() {
        pin("eu-9", "");
        assertThat(result(allocation.rebalance(Map.of(one, shards(SHARD)), Set.of())))
                .isEmpty();
    }
}
