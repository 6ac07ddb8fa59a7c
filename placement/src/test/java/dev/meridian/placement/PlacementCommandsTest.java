package dev.meridian.placement;

import static dev.meridian.protocol.cluster.ReplicaState.FAILED;
import static dev.meridian.protocol.cluster.ReplicaState.READY;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.meridian.placement.PlacementCommands.Decision;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementCommand.Drain;
import dev.meridian.protocol.cluster.PlacementCommand.Move;
import dev.meridian.protocol.cluster.PlacementCommand.Place;
import dev.meridian.protocol.cluster.PlacementCommand.Undo;
import dev.meridian.protocol.cluster.PlacementCommand.Undrain;
import dev.meridian.protocol.cluster.PlacementCommand.Unplace;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.PlacementReply.Planned;
import dev.meridian.protocol.cluster.PlacementReply.Refused;
import dev.meridian.protocol.cluster.ReplicaId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class PlacementCommandsTest {
    private static final ReplicaId FIRST = Facts.replica("m", 1);
    private static final ReplicaId SECOND = Facts.replica("m", 2);
    private static final ReplicaId OTHER = Facts.replica("n", 1);
    private static final long NOW = 5000;

    /** What other regions serve. */
    private static final Set<String> ELSEWHERE = Set.of("m");

    private final ActorTestKit kit = ActorTestKit.create(
            "commands", ConfigFactory.parseString("pekko.loglevel = OFF").withFallback(ConfigFactory.load()));
    private final ActorRef<PlacementReply> me =
            kit.<PlacementReply>createTestProbe().getRef();

    /** Two replicas of m and one of n; c is free, d has no bundle, e no room. */
    private final PinTable table = new PinTable(
            Facts.REGION,
            7,
            List.of(pin(FIRST, "a", 3), pin(SECOND, "b", 4), pin(OTHER, "a", 7)),
            List.of(),
            List.of(),
            List.of(),
            List.of());

    private final List<Facts> nodes = List.of(
            Facts.of("a").offers("m", "n").holds(FIRST, READY, 3).holds(OTHER, READY, 7),
            Facts.of("b").offers("m", "n").holds(SECOND, READY, 4),
            Facts.of("c").offers("m", "n"),
            Facts.of("d"),
            Facts.of("e").offers("m", "n").budget(Facts.WEIGHT - 1));

    @AfterAll
    void shutdown() {
        kit.shutdownTestKit();
    }

    private static Pin pin(ReplicaId replica, String node, long generation) {
        return new Pin(replica, node, generation, null);
    }

    private Decision decide(PinTable on, PlacementCommand command) {
        return decide(on, nodes, command);
    }

    private static Decision decide(PinTable on, List<Facts> nodes, PlacementCommand command) {
        List<NodeFacts> facts = nodes.stream().map(Facts::build).toList();
        return new PlacementCommands(
                        new Situation(on, facts, ELSEWHERE, Set.of(), Facts.settings(2), Wanted.usual(2), NOW))
                .decide(command);
    }

    private Move move(ReplicaId replica, String to, long generation, @Nullable String key) {
        return new Move(replica, to, false, "me", generation, key, me);
    }

    private Move move(ReplicaId replica, String to) {
        return move(replica, to, 0, null);
    }

    private Drain drain(String node) {
        return new Drain(node, false, "me", null, me);
    }

    private Undrain undrain(String node) {
        return new Undrain(node, false, "me", null, me);
    }

    private Place place(String model, int replicas, String... on) {
        return new Place(new ModelPlacement(model, replicas, List.of(on)), false, "me", null, me);
    }

    private Unplace unplace(String model, boolean force) {
        return new Unplace(model, false, force, "me", null, me);
    }

    private PinTable draining(String... drained) {
        return table.withDraining(List.of(drained));
    }

    private PinTable with(List<Change> changes) {
        return table.withChanges(changes);
    }

    private static Change planned(Decision decision) {
        return ((Planned) decision.reply()).change();
    }

    private static Change change(int number, State state) {
        return new Change(
                "chg-" + number,
                Verb.DRAIN,
                "me",
                null,
                "node-" + number,
                null,
                List.of(),
                state,
                "",
                1,
                1,
                1,
                null,
                Effect.NONE);
    }

    private void assertRefused(PinTable on, List<Facts> facts, PlacementCommand command, String refusal) {
        Decision decision = decide(on, facts, command);
        Refused refused = (Refused) decision.reply();

        assertThat(refused.reason() + ": " + refused.message()).isEqualTo(refusal);
        assertThat(decision.table()).isSameAs(on);
    }

    private void assertRefused(PlacementCommand command, String refusal) {
        assertRefused(table, nodes, command, refusal);
    }

    private List<Facts> without(Facts node, int index) {
        List<Facts> changed = new ArrayList<>(nodes);
        changed.set(index, node);
        return changed;
    }

    @Test
    void aMoveIsRefusedByName() {
        assertRefused(move(Facts.replica("m", 3), "c"), "REPLICA_UNKNOWN: there is no replica eu~m~0123456789ab~3");
        assertRefused(move(FIRST, "z"), "NODE_UNKNOWN: there is no node z in region eu");
        assertRefused(move(FIRST, "c", 2, null), "STALE_GENERATION: " + FIRST + " is at generation 3, not 2");
        assertRefused(move(FIRST, "a"), "SAME_NODE: " + FIRST + " is on a already");
        assertRefused(move(FIRST, "b"), "ALREADY_THERE: node b holds " + SECOND + " of the same model");
        assertRefused(move(FIRST, "d"), "BUNDLE_MISSING: node d has no bundle m with the digest " + Facts.DIGEST);
        assertRefused(move(FIRST, "e"), "OVER_BUDGET: m needs 10 bytes, node e has 9 left of 9");
        assertRefused(draining("c"), nodes, move(FIRST, "c"), "NODE_DRAINING: node c is drained");
    }

    @Test
    void aMoveToANodeThatIsNotReadyIsRefused() {
        String refusal = "NODE_NOT_READY: node c does not answer, holds no models or stops";
        Facts c = Facts.of("c").offers("m");

        assertRefused(table, without(Facts.of("c").offers("m").silent(), 2), move(FIRST, "c"), refusal);
        assertRefused(table, without(Facts.of("c").offers("m").leaving(), 2), move(FIRST, "c"), refusal);
        assertRefused(
                table,
                without(c.holds(FIRST, FAILED, 2), 2),
                move(FIRST, "c"),
                "NODE_NOT_READY: node c could not load " + FIRST);
    }

    @Test
    void aReplicaOnItsWayCountsAtItsTarget() {
        PinTable moving = decide(table, move(SECOND, "c")).table();

        assertRefused(moving, nodes, move(FIRST, "c"), "ALREADY_THERE: node c holds " + SECOND + " of the same model");
        assertRefused(
                moving,
                without(Facts.of("c").offers("m", "n").budget(Facts.WEIGHT), 2),
                move(OTHER, "c"),
                "OVER_BUDGET: n needs 10 bytes, node c has 0 left of 10");
    }

    @Test
    void aReplicaWhoseLoadFailedKeepsItsRoom() {
        PinTable pinned = table.withGeneration(8).withPins(List.of(pin(FIRST, "c", 8), pin(OTHER, "a", 7)));
        Facts c = Facts.of("c").offers("m", "n").budget(Facts.WEIGHT).holds(FIRST, FAILED, 8);

        assertRefused(
                pinned, without(c, 2), move(OTHER, "c"), "OVER_BUDGET: n needs 10 bytes, node c has 0 left of 10");
    }

    @Test
    void aMoveBeginsWithALoadAtItsTarget() {
        Decision decision = decide(table, move(FIRST, "c", 3, "key"));
        Change change = planned(decision);

        assertThat(decision.table().generation()).isEqualTo(8);
        assertThat(decision.table().pins())
                .containsExactly(new Pin(FIRST, "a", 8, "c"), pin(SECOND, "b", 4), pin(OTHER, "a", 7));
        assertThat(decision.table().changes()).containsExactly(change);
        assertThat(change)
                .isEqualTo(new Change(
                        change.id(),
                        Verb.MOVE,
                        "me",
                        FIRST,
                        "a",
                        "c",
                        List.of(
                                "load " + FIRST + " on c: 10 bytes",
                                "send new requests to c",
                                "let its streams on a end: no stream runs on it now",
                                "unload it on a"),
                        State.RUNNING,
                        "loads on c",
                        8,
                        NOW,
                        NOW,
                        "key",
                        Effect.loading(Facts.WEIGHT, Effect.UNKNOWN)));
    }

    @Test
    void aDryRunChangesNothingAndSaysTheSame() {
        for (PlacementCommand real :
                List.of(move(FIRST, "c"), drain("a"), undrain("a"), place("m", 3), unplace("m", false))) {
            PlacementCommand dry = switch (real) {
                case Move one -> new Move(one.replica(), one.to(), true, "me", 0, null, me);
                case Drain one -> new Drain(one.node(), true, "me", null, me);
                case Undrain one -> new Undrain(one.node(), true, "me", null, me);
                case Place one -> new Place(one.wanted(), true, "me", null, me);
                case Unplace one -> new Unplace(one.model(), true, one.force(), "me", null, me);
                case Undo one -> new Undo(one.change(), true, "me", null, me);
            };
            Decision decision = decide(table, dry);

            assertThat(decision.table()).as("%s", dry).isSameAs(table);
            assertThat(planned(decision).state()).as("%s", dry).isEqualTo(State.PLANNED);
            assertThat(planned(decision))
                    .as("%s", dry)
                    .usingRecursiveComparison()
                    .ignoringFields("id", "state", "progress")
                    .isEqualTo(planned(decide(table, real)));
        }
    }

    @Test
    void ofTwoMovesAtOnceOneWins() {
        PinTable won = decide(table, move(FIRST, "c", 3, null)).table();

        assertRefused(
                won, nodes, move(FIRST, "c", 3, null), "STALE_GENERATION: " + FIRST + " is at generation 8, not 3");
        assertRefused(won, nodes, move(FIRST, "e"), "CHANGE_RUNNING: " + FIRST + " moves already, at generation 8");
        assertThat(decide(won, move(OTHER, "c", 7, null)).reply()).isInstanceOf(Planned.class);
    }

    @Test
    void aReplicaThatStillDrainsBehindItDoesNotMoveAgain() {
        Change change = planned(decide(table, move(FIRST, "c")));
        PinTable flipped = with(List.of(change)).withGeneration(9).withPins(List.of(pin(FIRST, "c", 9)));

        assertRefused(flipped, nodes, move(FIRST, "a"), "CHANGE_RUNNING: " + FIRST + " moves already, at generation 9");
    }

    @Test
    void aDrainSaysWhereEverythingGoes() {
        List<Facts> roomier = without(Facts.of("d").offers("n"), 3);
        Decision decision = decide(table, roomier, drain("a"));

        assertThat(planned(decision).plan())
                .containsExactly(
                        "move " + FIRST + " to c, which loads 10 bytes: no stream runs on it now",
                        "move " + OTHER + " to d, which loads 10 bytes: no stream runs on it now",
                        "place nothing on a until it is undrained");
        assertThat(planned(decision).progress()).isEqualTo("moves its replicas");
        assertThat(decision.table().draining()).containsExactly("a");
        assertThat(decision.table().pins()).isEqualTo(table.pins());
        assertThat(decision.table().generation()).isEqualTo(8);
        assertThat(PlacementPlanner.plan(
                                decision.table(),
                                roomier.stream().map(Facts::build).toList(),
                                Wanted.usual(2),
                                NOW)
                        .pins())
                .as("what the planner makes of it")
                .contains(new Pin(FIRST, "a", 9, "c"), new Pin(OTHER, "a", 9, "d"));
    }

    @Test
    void everyPlanSaysHowLongItsLoadsTake() {
        List<Facts> measured = List.of(
                Facts.of("a")
                        .offers("m", "n")
                        .holds(FIRST, READY, 3)
                        .holds(OTHER, READY, 7)
                        .loads(5),
                Facts.of("b").offers("m", "n").holds(SECOND, READY, 4).loads(10),
                Facts.of("c").offers("m", "n").loads(20));
        PlacementCommand[] commands = {
            move(FIRST, "c"), drain("a"), place("m", 3), unplace("n", true), undrain("a"),
        };
        List<Long> estimates = Stream.of(commands)
                .map(command ->
                        planned(decide(table, measured, command)).effect().estimateMillis())
                .toList();

        assertThat(estimates).containsExactly(500L, 1000L, 500L, 0L, 0L);
        assertThat(planned(decide(table, measured, move(FIRST, "c"))).plan())
                .last()
                .isEqualTo("takes about 500 ms");
        assertThat(planned(decide(table, measured, drain("a"))).plan()).last().isEqualTo("takes about 1.0 s");
    }

    @Test
    void aDrainSaysWhatIsOnItsWayAlready() {
        PinTable moving =
                table.withGeneration(9).withPins(List.of(new Pin(FIRST, "a", 8, "c"), new Pin(OTHER, "b", 9, "a")));

        assertThat(planned(decide(moving, drain("a"))).plan())
                .containsExactly(
                        "move " + FIRST + " to c, as it does already: no stream runs on it now",
                        "leave " + OTHER + " on b",
                        "place nothing on a until it is undrained");
    }

    @Test
    void aDrainUnloadsWhatHasNoOtherPlaceWhileOthersServe() {
        List<Facts> tight = List.of(nodes.get(0), nodes.get(1));

        assertThat(planned(decide(table, tight, drain("b"))).plan())
                .containsExactly(
                        "unload " + SECOND + ", which no other node can take; others of its model serve on:"
                                + " no stream runs on it now",
                        "place nothing on b until it is undrained");
    }

    @Test
    void aDrainIsRefusedByName() {
        assertRefused(drain("z"), "NODE_UNKNOWN: there is no node z in region eu");
        assertRefused(draining("a"), nodes, drain("a"), "CHANGE_RUNNING: a is drained already");
        List<Facts> alone = List.of(nodes.get(0));
        assertRefused(table, alone, drain("a"), "NO_ROOM: no other node can take " + FIRST + ", " + OTHER);
    }

    @Test
    void aReplicaOnANodeThatIsDrainedOrNotHeardStandsInForNobody() {
        String refusal = "NO_ROOM: no other node can take " + SECOND;
        List<Facts> tight = List.of(nodes.get(0), nodes.get(1));
        List<Facts> silent = List.of(Facts.of("a").offers("m", "n").silent(), nodes.get(1));

        assertRefused(draining("a"), tight, drain("b"), refusal);
        assertRefused(table, silent, drain("b"), refusal);
    }

    @Test
    void aRefusalNamesTenReplicasAtMost() {
        List<Pin> pins = IntStream.range(10, 31)
                .mapToObj(model -> pin(Facts.replica("m" + model, 1), "a", 1))
                .toList();
        PinTable many = table.withPins(pins);
        String names = String.join(
                ", ",
                pins.subList(0, 10).stream()
                        .map(pin -> pin.replica().toString())
                        .toList());

        assertRefused(many, nodes, drain("a"), "NO_ROOM: no other node can take " + names + " and 11 more");
    }

    @Test
    void anUndrainEndsTheDrainThatRuns() {
        PinTable drained = decide(table, drain("a")).table();

        Decision decision = decide(drained, undrain("a"));

        assertThat(decision.table().draining()).isEmpty();
        assertThat(decision.table().generation()).isEqualTo(9);
        assertThat(decision.table().changes())
                .extracting(change -> change.verb() + " " + change.state() + ": " + change.progress())
                .containsExactly("DRAIN UNDONE: undrained before it was empty", "UNDRAIN DONE: may hold replicas");
        assertThat(planned(decision)).isEqualTo(decision.table().changes().getLast());
    }

    @Test
    void aDrainThatIsOverStaysAsItWas() {
        PinTable drained = decide(table, drain("a")).table();
        Change done = drained.changes().getFirst().with(State.DONE, "holds nothing", NOW);
        PinTable over = draining("a").withGeneration(9).withChanges(List.of(done));

        assertThat(decide(over, undrain("a")).table().changes().getFirst()).isEqualTo(done);
    }

    @Test
    void anUndrainIsForNodesThatAreThereOrDrained() {
        assertRefused(undrain("z"), "NODE_UNKNOWN: there is no node z in region eu");
        assertThat(decide(draining("z"), undrain("z")).table().draining()).isEmpty();
    }

    @Test
    void aKeyThatIsUsedAgainStartsNothingNew() {
        for (PlacementCommand command : Stream.of(
                        move(FIRST, "c", 0, "key"),
                        new Drain("a", false, "me", "key", me),
                        new Undrain("a", false, "me", "key", me))
                .toList()) {
            Decision first = decide(table, command);

            Decision again = decide(first.table(), command);

            assertThat(again.reply()).as("%s", command).isEqualTo(first.reply());
            assertThat(again.table()).as("%s", command).isSameAs(first.table());
        }
    }

    @Test
    void aKeyTellsHowFarItsChangeIsNow() {
        Decision first = decide(table, move(FIRST, "c", 3, "key"));
        Change done = planned(first).with(State.DONE, "serves on c", NOW);

        assertThat(planned(decide(with(List.of(done)), move(FIRST, "c", 3, "key"))))
                .isEqualTo(done);
    }

    @Test
    void aKeyOfAnotherChangeIsRefused() {
        Decision first = decide(table, move(FIRST, "c", 0, "key"));
        String refusal = "IDEMPOTENCY_KEY_REUSED: that Idempotency-Key was used for "
                + planned(first).id() + ", another change";

        for (PlacementCommand other : List.of(
                move(FIRST, "b", 0, "key"),
                move(SECOND, "c", 0, "key"),
                new Drain("a", false, "me", "key", me),
                new Undrain("a", false, "me", "key", me))) {
            assertRefused(first.table(), nodes, other, refusal);
        }
    }

    @Test
    void theOldestChangesThatAreOverAreForgotten() {
        List<Change> changes = new ArrayList<>(List.of(change(0, State.RUNNING)));
        IntStream.range(1, PinTable.MAX_CHANGES).forEach(i -> changes.add(change(i, State.DONE)));

        List<Change> after = decide(with(changes), undrain("a")).table().changes();

        assertThat(after).hasSize(PinTable.MAX_CHANGES);
        assertThat(after.subList(0, 2)).containsExactly(changes.get(0), changes.get(2));
        assertThat(after.getLast().verb()).isEqualTo(Verb.UNDRAIN);
    }

    @Test
    void changesThatRunAreNotForgotten() {
        List<Change> changes = IntStream.range(0, PinTable.MAX_CHANGES)
                .mapToObj(i -> change(i, State.RUNNING))
                .toList();
        String refusal = "CHANGE_RUNNING: 200 changes run already; wait until one is over";

        assertRefused(with(changes), nodes, drain("a"), refusal);
        assertRefused(with(changes), nodes, move(FIRST, "c"), refusal);
        assertThat(decide(with(changes), undrain("a")).table().changes()).isEqualTo(changes);
    }
}
