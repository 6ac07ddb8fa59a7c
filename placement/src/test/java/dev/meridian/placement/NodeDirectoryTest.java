package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.NodeMessage.StatusSeen;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One directory, whose peers are probes: what it hears and tells is in the pictures that it publishes. */
final class NodeDirectoryTest {
    private static final Config CONFIG = ManualTime.config()
            .withFallback(ConfigFactory.parseString("pekko.loglevel = OFF"))
            .withFallback(ConfigFactory.load());
    private static final PlacementSettings SETTINGS = PlacementSettings.from(CONFIG);
    private static final NodeIdentity IDENTITY = new NodeIdentity("me", "eu", List.of("edge", "model"), 50, 1000);

    private final ActorTestKit kit = ActorTestKit.create("directories", CONFIG);
    private final ManualTime time = ManualTime.get(kit.system());
    private final AtomicLong nanos = new AtomicLong(1_000_000_000L);
    private final TestProbe<NodeMessage> peer = kit.createTestProbe();
    private final TestProbe<ClusterView> views = kit.createTestProbe();
    private final List<ActorRef<NodeMessage>> peers = new ArrayList<>(List.of(peer.getRef()));
    private final AtomicReference<Runnable> changed = new AtomicReference<>(() -> {});
    private final ActorRef<NodeMessage> directory = kit.spawn(NodeDirectory.create(
            IDENTITY, new Local(), () -> true, SETTINGS, () -> List.copyOf(peers), views.getRef()::tell, nanos::get));

    private final class Local implements LocalNode {
        static final List<ReplicaStatus> REPLICAS = List.of(Facts.status(Facts.replica("m", 1), ReplicaState.READY, 3));

        @Override
        public boolean leaving() {
            return true;
        }

        @Override
        public long reservedBytes() {
            return 77;
        }

        @Override
        public List<ModelInfo> bundles() {
            return List.of(Facts.model("m"), Facts.model("n"));
        }

        @Override
        public List<ReplicaStatus> replicas() {
            return REPLICAS;
        }

        @Override
        public void onChange(Runnable listener) {
            changed.set(listener);
        }
    }

    @AfterEach
    void shutdown() {
        kit.shutdownTestKit();
    }

    private NodeStatus told() {
        return peer.expectMessageClass(NodeStatus.class);
    }

    private NodeStatus tick(Duration passed) {
        nanos.addAndGet(passed.toNanos());
        time.timePasses(SETTINGS.statusInterval());
        return told();
    }

    private NodeStatus status(String node, long incarnation, long sequence) {
        return Statuses.status(node, "eu", incarnation, sequence, peer.getRef());
    }

    /** What the directory knows once it has heard all that it was told so far. */
    private ClusterView viewAfter(NodeMessage... messages) {
        for (NodeMessage message : messages) {
            directory.tell(message);
        }
        NodeStatus marker = status("marker", 1, nanos.incrementAndGet());
        directory.tell(marker);
        while (true) {
            ClusterView view = views.receiveMessage();
            if (view.node("marker").filter(node -> node.status().equals(marker)).isPresent()) {
                return view;
            }
        }
    }

    @Test
    void tellsItsPeersEveryIntervalWhatItsNodeIs() {
        NodeStatus first = told();

        assertThat(first)
                .isEqualTo(new NodeStatus(
                        "me",
                        "eu",
                        List.of("edge", "model"),
                        50,
                        1,
                        true,
                        true,
                        1000,
                        77,
                        List.of(Facts.model("m"), Facts.model("n")),
                        Local.REPLICAS,
                        List.of(),
                        List.of(),
                        0,
                        first.directory()));
        assertThat(tick(SETTINGS.statusInterval()).sequence()).isEqualTo(2);
        assertThat(tick(SETTINGS.statusInterval()).sequence()).isEqualTo(3);
    }

    @Test
    void tellsAtOnceWhatChanged() {
        told();
        changed.get().run();
        assertThat(told().sequence()).isEqualTo(2);
        assertThat(tick(SETTINGS.statusInterval()).sequence()).isEqualTo(3);
    }

    @Test
    void tellsPeersThatCameLater() {
        told();
        TestProbe<NodeMessage> newcomer = kit.createTestProbe();
        directory.tell(status("other", 1, 1));
        peer.expectMessage(new StatusSeen("me", 1, 1));
        peers.add(newcomer.getRef());

        NodeStatus second = tick(SETTINGS.statusInterval());

        newcomer.expectMessage(second);
    }

    @Test
    void knowsItsOwnNodeFromItsFirstTick() {
        NodeStatus first = told();

        assertThat(views.receiveMessage().nodes()).containsExactly(new NodeView(first, nanos.get(), 0));
    }

    @Test
    void aNewerStatusTakesThePlaceOfAnOlderOne() {
        ClusterView view = viewAfter(status("other", 5, 1), status("other", 5, 2));

        assertThat(view.node("other").orElseThrow().status()).isEqualTo(status("other", 5, 2));
    }

    @Test
    void anOlderStatusOfANodeIsLateNews() {
        NodeStatus restarted = status("other", 6, 1);
        ClusterView view = viewAfter(restarted, status("other", 5, 99), status("other", 6, 0), status("other", 6, 1));

        assertThat(view.node("other").orElseThrow().status()).isEqualTo(restarted);
    }

    @Test
    void anOlderStatusDoesNotMakeASilentNodeHeard() {
        viewAfter(status("other", 5, 7));
        long heard = nanos.get() - 1;
        nanos.addAndGet(Duration.ofSeconds(5).toNanos());

        ClusterView view = viewAfter(status("other", 5, 7), status("other", 5, 6));

        assertThat(view.node("other").orElseThrow().heardNanos()).isBetween(heard - 1, heard + 1);
    }

    @Test
    void everyStatusIsAnsweredWhereItSays() {
        told();
        TestProbe<NodeMessage> sender = kit.createTestProbe();

        directory.tell(Statuses.status("other", "us", 5, 9, sender.getRef()));
        directory.tell(Statuses.status("other", "us", 5, 8, sender.getRef()));

        sender.expectMessage(new StatusSeen("me", 5, 9));
        sender.expectMessage(new StatusSeen("me", 5, 8));
    }

    @Test
    void itsOwnNameFromElsewhereIsIgnored() {
        NodeStatus first = told();

        ClusterView view = viewAfter(status("me", 99, 99));

        assertThat(view.node("me").orElseThrow().status()).isEqualTo(first);
    }

    @Test
    void tellsWhomItHearsAndNotWhoIsSilent() {
        told();
        viewAfter(status("b", 1, 1), status("a", 1, 1));
        peer.receiveSeveralMessages(3);

        assertThat(tick(SETTINGS.silence().minusMillis(1)).hears()).containsExactly("a", "b", "marker");
        directory.tell(status("b", 1, 2));
        peer.expectMessage(new StatusSeen("me", 1, 2));
        assertThat(tick(SETTINGS.silence()).hears()).containsExactly("b");
        assertThat(viewAfter().node("a")).as("silent, and known all the same").isPresent();
    }

    @Test
    void forgetsWhoWasSilentForLong() {
        told();
        viewAfter(status("other", 1, 1));
        peer.receiveSeveralMessages(2);

        tick(SETTINGS.forgetAfter().minusMillis(1));
        assertThat(viewAfter().node("other")).isPresent();
        peer.expectMessageClass(StatusSeen.class);
        tick(Duration.ofMillis(2));

        assertThat(viewAfter().node("other")).isEmpty();
    }

    @Test
    void measuresHowFarAwayItsPeersAre() {
        NodeStatus first = told();
        assertThat(viewAfter(status("other", 1, 1)).node("other").orElseThrow().rttMicros())
                .isEqualTo(NodeView.NO_RTT);
        peer.receiveSeveralMessages(2);
        NodeStatus second = tick(Duration.ofMillis(250));

        nanos.addAndGet(Duration.ofMillis(3).toNanos());
        ClusterView view = viewAfter(new StatusSeen("other", 50, second.sequence()));
        assertThat(view.node("other").orElseThrow().rttMicros()).isBetween(3000L, 3001L);

        ClusterView later = viewAfter(status("other", 1, 2), new StatusSeen("other", 50, first.sequence()));
        assertThat(later.node("other").orElseThrow().rttMicros())
                .as("of the answer to an earlier status")
                .isBetween(253_000L, 253_001L);
    }

    @Test
    void answersToNobodysStatusMeasureNothing() {
        told();
        viewAfter(status("other", 1, 1));

        ClusterView view = viewAfter(
                new StatusSeen("other", 49, 1),
                new StatusSeen("other", 50, 2),
                new StatusSeen("other", 50, 0),
                new StatusSeen("other", 50, -3),
                new StatusSeen("unknown", 50, 1));

        assertThat(view.node("other").orElseThrow().rttMicros()).isEqualTo(NodeView.NO_RTT);
        assertThat(view.node("unknown")).isEmpty();
    }
}
