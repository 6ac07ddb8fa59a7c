package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.ModelDemand;
import dev.meridian.protocol.cluster.NodeMessage;
import dev.meridian.protocol.cluster.NodeMessage.NodeStatus;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One placement, whose keepers are probes and whose time stands still until it is moved. */
final class RegionPlacementTest {
    private static final Config CONFIG = ManualTime.config()
            .withFallback(ConfigFactory.parseString(
                    "pekko.loglevel = OFF, meridian.placement { replicas = 1, models.on-demand.min-replicas = 0 }"))
            .withFallback(ConfigFactory.load());
    private static final PlacementSettings SETTINGS = PlacementSettings.from(CONFIG);
    private static final Duration GATHERED = Duration.ofMillis(800);
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochMilli(5000), ZoneOffset.UTC);

    private final ActorTestKit kit = ActorTestKit.create("placements", CONFIG);
    private final ManualTime time = ManualTime.get(kit.system());
    private final AtomicLong nanos = new AtomicLong(1_000_000_000L);
    private final TestProbe<PinMessage> own = kit.createTestProbe();
    private final TestProbe<PinMessage> other = kit.createTestProbe();
    private final TestProbe<PlacementReply> operator = kit.createTestProbe();
    private final TestProbe<PlacementReply> fence = kit.createTestProbe();
    private final TestProbe<NodeMessage> directory = kit.createTestProbe();
    private final List<String> members = new CopyOnWriteArrayList<>();
    private final AtomicReference<ClusterView> view = new AtomicReference<>(ClusterView.empty());
    private final AtomicReference<PinTable> newest = new AtomicReference<>(PinTable.empty("eu"));
    private final ActorRef<PlacementCommand> placement =
            kit.spawn(RegionPlacement.create(new RegionPlacement.Surroundings(
                    "eu",
                    SETTINGS,
                    () -> members,
                    view::get,
                    PinTable::empty,
                    newest::get,
                    () -> List.of(own.getRef(), other.getRef()),
                    CLOCK,
                    nanos::get)));

    @AfterEach
    void shutdown() {
        kit.shutdownTestKit();
    }

    private NodeView node(String id, String... models) {
        return node(id, List.of(), List.of(), models);
    }

    private NodeView node(String id, List<ReplicaStatus> replicas, List<ModelDemand> demand, String... models) {
        NodeStatus status = new NodeStatus(
                id,
                "eu",
                List.of("model"),
                1,
                1,
                false,
                false,
                100,
                0,
                List.of(models).stream().map(Facts::model).toList(),
                replicas,
                List.of(),
                demand,
                0,
                directory.getRef());
        return new NodeView(status, nanos.get(), 1);
    }

    private static PinTable table(long generation, Pin... pins) {
        return PinTable.empty("eu").withGeneration(generation).withPins(List.of(pins));
    }

    private static Pin pin(String node, long generation) {
        return new Pin(Facts.replica("m", 1), node, generation, null);
    }

    private void answer(TestProbe<PinMessage> keeper, PinTable table) {
        keeper.expectMessageClass(PinMessage.Ask.class).replyTo().tell(new PinMessage.Newest(table));
    }

    /** What it would do now: a move that is only planned says the table's generation. */
    private PlacementReply ask(String to) {
        placement.tell(
                new PlacementCommand.Move(Facts.replica("m", 1), to, true, "somebody", 0, null, operator.getRef()));
        return operator.receiveMessage();
    }

    private long generation(String to) {
        return ((PlacementReply.Planned) ask(to)).change().generation();
    }

    private PinTable written() {
        return own.expectMessageClass(PinMessage.Newest.class).table();
    }

    @Test
    void theNewestTableOfAllKeepersIsTheOneToGoOnFrom() {
        view.set(new ClusterView(List.of(node("eu-1", "m"), node("eu-2", "m"))));
        answer(own, table(3, pin("eu-2", 3)));
        answer(other, table(5, pin("eu-1", 5)));
        time.timePasses(GATHERED);

        assertThat(generation("eu-2")).isEqualTo(6);
    }

    @Test
    void commandsWaitUntilTheKeepersHadTimeToAnswer() {
        view.set(new ClusterView(List.of(node("eu-1", "m"), node("eu-2", "m"))));
        placement.tell(
                new PlacementCommand.Move(Facts.replica("m", 1), "eu-2", true, "somebody", 0, null, operator.getRef()));
        answer(own, table(5, pin("eu-1", 5)));
        operator.expectNoMessage(Duration.ZERO);
        time.timePasses(GATHERED);

        assertThat(operator.receiveMessage()).isInstanceOf(PlacementReply.Planned.class);
    }

    @Test
    void aNewerTableThatANodeBringsLaterTakesThePlaceOfItsOwn() {
        view.set(new ClusterView(List.of(node("eu-1", "m"), node("eu-2", "m"))));
        answer(own, table(3, pin("eu-1", 3)));
        time.timePasses(GATHERED);
        assertThat(generation("eu-2")).isEqualTo(4);

        newest.set(table(9, pin("eu-2", 9)));
        assertThat(generation("eu-1")).isEqualTo(10);
        assertThat(ask("eu-2"))
                .isEqualTo(new PlacementReply.Refused(
                        PlacementRefusal.SAME_NODE, Facts.replica("m", 1) + " is on eu-2 already"));
    }

    @Test
    void nothingIsPlacedBeforeAllMembersWereHeard() {
        members.addAll(List.of("eu-1", "eu-2"));
        view.set(new ClusterView(List.of(node("eu-1", "m"))));
        answer(own, PinTable.empty("eu"));
        time.timePasses(GATHERED);
        time.timePasses(SETTINGS.planInterval());
        own.expectNoMessage(Duration.ZERO);

        view.set(new ClusterView(List.of(node("eu-1"), node("eu-2", "m"))));
        time.timePasses(SETTINGS.planInterval());
        assertThat(written().withEvents(List.of())).isEqualTo(table(1, pin("eu-2", 1)));
    }

    @Test
    void whatThePolicyPlacesIsWrittenDownWithItsReason() {
        view.set(new ClusterView(List.of(node("eu-1", "m"))));
        answer(own, PinTable.empty("eu"));
        time.timePasses(GATHERED);
        time.timePasses(SETTINGS.planInterval());

        assertThat(written().events())
                .containsExactly(new PlacementEvent(
                        1,
                        0,
                        CLOCK.millis(),
                        PlacementEvent.Kind.PLACED,
                        "policy:follow-demand",
                        "m",
                        Facts.replica("m", 1),
                        "eu-1",
                        null,
                        "min-replicas"));
    }

    @Test
    void whoIsNotHeardForLongDoesNotKeepTheOthersWaiting() {
        members.addAll(List.of("eu-1", "eu-2"));
        answer(own, PinTable.empty("eu"));
        time.timePasses(GATHERED);
        nanos.addAndGet(SETTINGS.rehomeAfter().plus(GATHERED).toNanos());
        view.set(new ClusterView(List.of(node("eu-1", "m"))));
        time.timePasses(SETTINGS.planInterval());

        assertThat(written().withEvents(List.of())).isEqualTo(table(1, pin("eu-1", 1)));
    }

    @Test
    void whatAPolicyWantsIsPlacedAndGoesAgain() {
        ReplicaId m = Facts.replica("m", 1);
        ReplicaId onDemand = Facts.replica("on-demand", 1);
        view.set(new ClusterView(List.of(node("eu-1", "m", "on-demand"))));
        answer(own, PinTable.empty("eu"));
        answer(other, PinTable.empty("eu"));
        time.timePasses(GATHERED);
        time.timePasses(SETTINGS.planInterval());
        assertThat(written().pins()).extracting(Pin::replica).containsExactly(m);

        List<ModelDemand> waits = List.of(new ModelDemand("on-demand", 0.1, 0, 1, 1, 250, 0));
        passes(Duration.ofMillis(250), List.of(Facts.status(m, ReplicaState.READY, 1)), waits);
        assertThat(written().pins()).extracting(Pin::replica).containsExactly(m, onDemand);

        List<ReplicaStatus> both =
                List.of(Facts.status(m, ReplicaState.READY, 1), Facts.status(onDemand, ReplicaState.READY, 2));
        passes(Duration.ZERO, both, waits);
        passes(SETTINGS.policy().minResidence().minusMillis(1), both, List.of());
        own.expectNoMessage(Duration.ZERO);
        passes(SETTINGS.policyInterval(), both, List.of());
        assertThat(written().pins()).extracting(Pin::replica).containsExactly(m);
    }

    /** As it happens within less than the policy's interval. */
    @Test
    void whatAPolicyWantedBeforeAnUndoDoesNotUndoTheUndo() {
        ReplicaId m = Facts.replica("m", 1);
        view.set(new ClusterView(List.of(node("eu-1", "m"))));
        answer(own, table(1, pin("eu-1", 1)));
        answer(other, table(1, pin("eu-1", 1)));
        time.timePasses(GATHERED);
        placement.tell(new PlacementCommand.Unplace("m", false, true, "somebody", null, operator.getRef()));
        PinTable unplaced = settled(List.of());
        assertThat(unplaced.pins()).isEmpty();
        passes(SETTINGS.policyInterval(), List.of(), List.of());

        String change = unplaced.changes().getLast().id();
        placement.tell(new PlacementCommand.Undo(change, false, "somebody", null, operator.getRef()));
        PinTable undone = settled(List.of(Facts.status(m, ReplicaState.READY, 100)));
        assertThat(undone.pins()).extracting(Pin::replica).containsExactly(m);
        assertThat(undone.pins().getFirst().generation())
                .as("placed once")
                .isEqualTo(undone.changes().getLast().generation());
        assertThat(undone.changes().getLast().state()).isEqualTo(Change.State.DONE);
    }

    /** The newest table once the placement has looked at these facts some times. */
    private PinTable settled(List<ReplicaStatus> replicas) {
        PinTable table = PinTable.empty("eu");
        for (int i = 0; i < 5; i++) {
            passes(Duration.ZERO, replicas, List.of());
        }
        try {
            while (true) {
                table = ((PinMessage.Newest) own.receiveMessage(Duration.ofMillis(200))).table();
            }
        } catch (AssertionError _) {
            return table;
        }
    }

    /** Until the placement has looked at its facts, which are these by then. */
    private void passes(Duration duration, List<ReplicaStatus> replicas, List<ModelDemand> demand) {
        nanos.addAndGet(duration.toNanos());
        view.set(new ClusterView(List.of(node("eu-1", replicas, demand, "m", "on-demand"))));
        time.timePasses(SETTINGS.planInterval());
        // What answers this has seen those.
        placement.tell(
                new PlacementCommand.Move(Facts.replica("m", 1), "eu-9", true, "fence", 0, null, fence.getRef()));
        fence.receiveMessage();
    }

    /** A node of another region, heard for the last time so long ago. */
    private NodeView abroad(Duration silent, boolean leaving, ReplicaState state) {
        NodeStatus status = Statuses.status(
                "us-1", "us", 1, 1, leaving, List.of(Statuses.replica("us", "m", state, 0, null)), directory.getRef());
        return new NodeView(status, nanos.get() - silent.toNanos(), 1);
    }

    private PlacementReply unplace() {
        placement.tell(new PlacementCommand.Unplace("m", true, false, "somebody", null, operator.getRef()));
        return operator.receiveMessage();
    }

    @Test
    void aModelIsUnplacedWhereAnotherRegionIsHeardToServeIt() {
        NodeView home = node("eu-1", "m");
        answer(own, table(5, pin("eu-1", 5)));
        time.timePasses(GATHERED);
        Duration late = SETTINGS.silence().plusMillis(1);
        PlacementReply refused = new PlacementReply.Refused(PlacementRefusal.LAST_REPLICA, "no other region serves m");
        for (NodeView other : List.of(
                abroad(late, false, ReplicaState.READY),
                abroad(Duration.ZERO, true, ReplicaState.READY),
                abroad(Duration.ZERO, false, ReplicaState.LOADING))) {
            view.set(new ClusterView(List.of(home, other)));
            assertThat(unplace()).isEqualTo(refused);
        }
        view.set(new ClusterView(List.of(home, abroad(Duration.ZERO, false, ReplicaState.READY))));

        assertThat(unplace()).isInstanceOf(PlacementReply.Planned.class);
    }

    private PinTable moved() {
        view.set(new ClusterView(List.of(node("eu-1", "m"), node("eu-2", "m"))));
        answer(own, table(5, pin("eu-1", 5)));
        other.expectMessageClass(PinMessage.Ask.class);
        time.timePasses(GATHERED);
        placement.tell(new PlacementCommand.Move(
                Facts.replica("m", 1), "eu-2", false, "somebody", 5, null, operator.getRef()));
        PinTable table = written();
        assertThat(table.generation()).isEqualTo(6);
        assertThat(table.pins()).containsExactly(new Pin(Facts.replica("m", 1), "eu-1", 6, "eu-2"));
        assertThat(table.events())
                .extracting(event -> event.kind() + " by " + event.by())
                .containsExactly("CHANGE by somebody", "MOVING by somebody");
        return table;
    }

    @Test
    void aMoveIsAnsweredOnceItIsOnDiskHereAndAnotherNodeHasIt() {
        PinTable table = moved();
        assertThat(other.expectMessageClass(PinMessage.Newest.class).table()).isEqualTo(table);
        answer(other, table);
        time.timePasses(SETTINGS.planInterval());
        operator.expectNoMessage(Duration.ZERO);

        newest.set(table);
        time.timePasses(SETTINGS.planInterval());
        assertThat(operator.receiveMessage())
                .isEqualTo(new PlacementReply.Planned(table.changes().getLast()));
    }

    @Test
    void aMoveThatNoOtherNodeConfirmsIsAnsweredAfterASecond() {
        PinTable table = moved();
        newest.set(table);
        time.timePasses(SETTINGS.planInterval());
        operator.expectNoMessage(Duration.ZERO);

        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        time.timePasses(SETTINGS.planInterval());
        assertThat(operator.receiveMessage())
                .isEqualTo(new PlacementReply.Planned(table.changes().getLast()));
    }
}
