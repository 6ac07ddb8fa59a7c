package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.cluster.PinTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A keeper on the only node of a cluster, and what it tells others. */
final class PinKeeperTest {
    private static final Config CONFIG = ConfigFactory.parseString("""
                    pekko.loglevel = OFF
                    pekko.actor.provider = cluster
                    pekko.remote.artery.canonical { hostname = "127.0.0.1", port = 0 }
                    pekko.cluster.jmx.enabled = off
                    """).withFallback(ConfigFactory.load());

    @TempDir
    Path folder;

    private final ActorTestKit kit = ActorTestKit.create("keepers", CONFIG);
    private final TestProbe<PinMessage> peer = kit.createTestProbe();
    private final TestProbe<Map<String, PinTable>> published = kit.createTestProbe();
    private final Set<String> regions = ConcurrentHashMap.newKeySet();
    private Path path;

    @BeforeEach
    void join() {
        path = folder.resolve("eu-1.pins");
        Cluster cluster = Cluster.get(kit.system());
        cluster.manager().tell(Join.create(cluster.selfMember().address()));
    }

    @AfterEach
    void shutdown() {
        kit.shutdownTestKit();
    }

    private static PinTable table(String region, long generation) {
        return PinTable.empty(region)
                .withGeneration(generation)
                .withPins(List.of(new Pin(Facts.replica("m", 1), "eu-1", generation, null)));
    }

    private ActorRef<PinMessage> keeper(PinTable onDisk) {
        ActorRef<PinMessage> keeper = kit.spawn(PinKeeper.create(
                onDisk,
                new PinFile(path),
                () -> regions,
                () -> List.of(peer.getRef()),
                tables -> published.getRef().tell(tables)));
        assertThat(published.receiveMessage()).containsEntry("eu", onDisk);
        return keeper;
    }

    private PinTable onDisk() throws IOException {
        return new PinFile(path).read("eu");
    }

    private static PinTable newest(ActorRef<PinMessage> keeper, TestProbe<PinMessage> asks) {
        keeper.tell(new PinMessage.Ask(asks.getRef()));
        return asks.expectMessageClass(PinMessage.Newest.class).table();
    }

    @Test
    void aNewerTableIsOnDiskBeforeAnybodyFollowsIt() throws IOException {
        ActorRef<PinMessage> keeper = keeper(PinTable.empty("eu"));
        keeper.tell(new PinMessage.Newest(table("eu", 3)));
        assertThat(published.receiveMessage()).containsEntry("eu", table("eu", 3));
        assertThat(onDisk()).isEqualTo(table("eu", 3));
        peer.expectMessage(new PinMessage.Newest(table("eu", 3)));
    }

    @Test
    void anOlderTableIsNotTaken() throws IOException {
        ActorRef<PinMessage> keeper = keeper(table("eu", 5));
        peer.expectMessage(new PinMessage.Newest(table("eu", 5)));
        keeper.tell(new PinMessage.Newest(table("eu", 4)));
        keeper.tell(new PinMessage.Newest(table("eu", 6)));
        assertThat(published.receiveMessage()).containsEntry("eu", table("eu", 6));
        assertThat(newest(keeper, kit.createTestProbe())).isEqualTo(table("eu", 6));
        assertThat(onDisk()).isEqualTo(table("eu", 6));
    }

    @Test
    void ofManyThatComeAtOnceTheNewestIsWrittenLast() throws IOException {
        ActorRef<PinMessage> keeper = keeper(PinTable.empty("eu"));
        for (long generation = 1; generation <= 50; generation++) {
            keeper.tell(new PinMessage.Newest(table("eu", generation)));
        }
        long seen = 0;
        while (seen < 50) {
            long next = published
                    .receiveMessage()
                    .getOrDefault("eu", PinTable.empty("eu"))
                    .generation();
            assertThat(next).isGreaterThan(seen);
            seen = next;
        }
        assertThat(onDisk()).isEqualTo(table("eu", 50));
    }

    @Test
    void anotherRegionsTableIsKnownAndNotWritten() {
        regions.add("us");
        ActorRef<PinMessage> keeper = keeper(PinTable.empty("eu"));
        keeper.tell(new PinMessage.Newest(table("us", 2)));
        assertThat(published.receiveMessage()).containsEntry("us", table("us", 2));
        keeper.tell(new PinMessage.Newest(table("us", 1)));
        assertThat(newest(keeper, kit.createTestProbe())).isEqualTo(PinTable.empty("eu"));
        published.expectNoMessage();
        assertThat(path).doesNotExist();
    }

    @Test
    void whereTheDiskTakesNothingItFollowsAllTheSame() throws IOException {
        Files.createDirectory(path);
        ActorRef<PinMessage> keeper = keeper(PinTable.empty("eu"));
        keeper.tell(new PinMessage.Newest(table("eu", 1)));
        assertThat(published.receiveMessage()).containsEntry("eu", table("eu", 1));
        peer.expectMessage(new PinMessage.Newest(table("eu", 1)));
    }
}
