package dev.meridian.placement;

import static dev.meridian.protocol.cluster.ReplicaState.DRAINING;
import static dev.meridian.protocol.cluster.ReplicaState.FAILED;
import static dev.meridian.protocol.cluster.ReplicaState.LOADING;
import static dev.meridian.protocol.cluster.ReplicaState.READY;
import static dev.meridian.protocol.cluster.ReplicaState.STANDBY;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.meridian.placement.PlacementCommands.Decision;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
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
import dev.meridian.protocol.cluster.ReplicaState;
import dev.meridian.protocol.cluster.ReplicaStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A region of three nodes whose operators place, unplace and undo; its nodes do at once what pins say, but where told else. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class PlaceAndUndoTest {
    private static final ReplicaId FIRST = Facts.replica("m", 1);
    private static final ReplicaId SECOND = Facts.replica("m", 2);
    private static final long NOW = 5000;

    private final ActorTestKit kit = ActorTestKit.create(
            "undo", ConfigFactory.parseString("pekko.loglevel = OFF").withFallback(ConfigFactory.load()));
    private final ActorRef<PlacementReply> me =
            kit.<PlacementReply>createTestProbe().getRef();

    @AfterAll
    void shutdown() {
        kit.shutdownTestKit();
    }

    /** The usual number of replicas is one. */
    private static final class Region {
        private final List<String> ids;
        private final Map<String, Long> budgets = new TreeMap<>();
        private final Map<String, Map<ReplicaId, ReplicaState>> odd = new TreeMap<>();
        private Set<String> elsewhere = Set.of("m");
        private PinTable table = PinTable.empty(Facts.REGION);

        Region(String... ids) {
            this.ids = List.of(ids);
            settle();
        }

        private List<NodeFacts> nodes() {
            List<NodeFacts> nodes = new ArrayList<>();
            for (String id : ids) {
                Facts facts = Facts.of(id).offers("m", "n").budget(budgets.getOrDefault(id, 100L));
                for (Pin pin : table.pins()) {
                    ReplicaState state = odd.getOrDefault(id, Map.of()).get(pin.replica());
                    if (state != null) {
                        facts.holds(pin.replica(), state, pin.generation());
                    } else if (pin.node().equals(id)) {
                        facts.holds(pin.replica(), READY, pin.generation());
                    } else if (id.equals(pin.next())) {
                        facts.holds(pin.replica(), STANDBY, pin.generation());
                    }
                }
                odd.getOrDefault(id, Map.of()).forEach((replica, state) -> {
                    if (table.pin(replica).isEmpty()) {
                        facts.holds(replica, state, 1);
                    }
                });
                nodes.add(facts.build());
            }
            return nodes;
        }

        /** Where no operator has said anything. */
        Wanted wanted = Wanted.usual(1);

        void plan() {
            table = PlacementPlanner.plan(table, nodes(), wanted, NOW);
        }

        void settle() {
            PinTable before = PinTable.empty("");
            for (int i = 0; i < 20 && !before.equals(table); i++) {
                before = table;
                plan();
            }
            assertThat(before).as("a settled table").isEqualTo(table);
        }

        Decision decide(PlacementCommand command) {
            return new PlacementCommands(
                            new Situation(table, nodes(), elsewhere, Set.of("bound"), Facts.settings(1), wanted, NOW))
                    .decide(command);
        }

        Change begin(PlacementCommand command) {
            Decision decision = decide(command);
            assertThat(decision.reply()).isInstanceOf(Planned.class);
            table = decision.table();
            return ((Planned) decision.reply()).change();
        }

        /** The change as it is once all nodes have done what they could. */
        Change carryOut(PlacementCommand command) {
            Change change = begin(command);
            settle();
            return change(change.id());
        }

        Change change(String id) {
            return table.change(id).orElseThrow();
        }

        String state(Change change) {
            Change now = change(change.id());
            return now.state() + ": " + now.progress();
        }

        String refusal(PlacementCommand command) {
            Decision decision = decide(command);
            assertThat(decision.table()).isSameAs(table);
            Refused refused = (Refused) decision.reply();
            return refused.reason() + ": " + refused.message();
        }

        List<String> places() {
            return table.pins().stream()
                    .map(pin -> pin.replica().model() + pin.replica().number() + " " + pin.node()
                            + (pin.next() == null ? "" : ">" + pin.next()))
                    .toList();
        }
    }

    private Place place(String model, int replicas, String... on) {
        return new Place(new ModelPlacement(model, replicas, List.of(on)), false, "me", null, me);
    }

    private Unplace unplace(String model, boolean force) {
        return new Unplace(model, false, force, "me", null, me);
    }

    private Undo undo(Change change) {
        return undo(change.id(), null);
    }

    private Undo undo(String change, @Nullable String key) {
        return new Undo(change, false, "me", key, me);
    }

    private Move move(ReplicaId replica, String to) {
        return new Move(replica, to, false, "me", 0, null, me);
    }

    private Drain drain(String node) {
        return new Drain(node, false, "me", null, me);
    }

    private Undrain undrain(String node) {
        return new Undrain(node, false, "me", null, me);
    }

    @Nested
    final class APlacement {
        private final Region region = new Region("a", "b", "c");

        @Test
        void addsWhatIsMissing() {
            Change change = region.begin(place("m", 3));

            assertThat(change.plan())
                    .containsExactly(
                            "load " + SECOND + " on c: 10 bytes",
                            "load " + Facts.replica("m", 3) + " on b: 10 bytes",
                            "hold 3 replicas of m in eu");
            assertThat(change.effect().bytesToLoad()).isEqualTo(20);
            region.settle();
            assertThat(region.places()).containsExactly("m1 a", "m2 c", "m3 b", "n1 b");
            assertThat(region.state(change)).isEqualTo("DONE: 3 of 3 serve");
        }

        @Test
        void runsUntilAllServe() {
            region.odd.put("c", Map.of(SECOND, LOADING));
            Change change = region.begin(place("m", 2));
            region.plan();

            assertThat(region.state(change)).isEqualTo("RUNNING: loads 1 of 2 replicas");
            region.odd.clear();
            region.settle();
            assertThat(region.state(change)).isEqualTo("DONE: 2 of 2 serve");
        }

        @Test
        void takesAwayTheNodeWithTheLeastFreeMemoryFirst() {
            region.carryOut(place("m", 3));
            region.budgets.put("c", 30L);

            Change change = region.begin(place("m", 2));

            assertThat(change.plan())
                    .containsExactly(
                            "unload " + SECOND + " on c once the others serve: no stream runs on it now",
                            "hold 2 replicas of m in eu");
            region.settle();
            assertThat(region.places()).containsExactly("m1 a", "m3 b", "n1 b");
        }

        @Test
        void takesNothingAwayBeforeTheOthersServe() {
            region.carryOut(place("m", 2));
            region.odd.put("a", Map.of(FIRST, LOADING));
            Change change = region.begin(place("m", 1, "a"));
            region.plan();

            assertThat(region.places()).contains("m1 a", "m2 c");
            assertThat(region.state(change)).startsWith("RUNNING: ");
            region.odd.clear();
            region.settle();
            assertThat(region.places()).containsExactly("m1 a", "n1 b");
            assertThat(region.state(change)).isEqualTo("DONE: 1 of 1 serve");
        }

        @Test
        void isNotOverWhileStreamsEnd() {
            region.carryOut(place("m", 2));
            region.odd.put("c", Map.of(SECOND, DRAINING));
            Change change = region.begin(place("m", 1, "a"));
            region.plan();
            region.plan();

            assertThat(region.places()).containsExactly("m1 a", "n1 b");
            assertThat(region.state(change)).isEqualTo("RUNNING: lets the streams of 1 end");
        }

        @Test
        void movesWhatIsOnNodesThatAreNotNamed() {
            Change change = region.begin(place("m", 1, "b"));

            assertThat(change.plan())
                    .containsExactly(
                            "load " + FIRST + " on b: 10 bytes",
                            "unload it on a once it serves there: no stream runs on it now",
                            "hold 1 replica of m in eu, only on b");
            region.plan();
            assertThat(region.places()).contains("m1 a>b");
            region.settle();
            assertThat(region.places()).containsExactly("m1 b", "n1 b");
            assertThat(region.state(change)).isEqualTo("DONE: 1 of 1 serve");
        }

        @Test
        void keepsMovesOffOtherNodes() {
            region.carryOut(place("m", 1, "a", "b"));

            assertThat(region.refusal(move(FIRST, "c"))).isEqualTo("NODE_EXCLUDED: m is placed on other nodes than c");
            region.carryOut(drain("a"));
            assertThat(region.places()).containsExactly("m1 b", "n1 b");
            assertThat(region.refusal(drain("b"))).isEqualTo("NO_ROOM: no other node can take " + FIRST);
        }

        @Test
        void waitsForANodeAndMayBeUndoneMeanwhile() {
            Change change = region.begin(place("m", 2, "a", "c"));
            region.plan();
            region.odd.put("c", Map.of(SECOND, FAILED));
            region.settle();

            assertThat(region.state(change)).isEqualTo("RUNNING: waits: " + SECOND + ": c could not load it");
            assertThat(region.refusal(place("m", 1)))
                    .isEqualTo("CHANGE_RUNNING: " + change.id() + " changes where m is now; wait until it is over");
            assertThat(region.refusal(move(FIRST, "b")))
                    .isEqualTo("CHANGE_RUNNING: " + change.id() + " changes the placement of m now");
            Change undo = region.carryOut(undo(change));
            assertThat(region.state(undo)).isEqualTo("DONE: 1 of 1 serve");
            assertThat(region.state(change)).isEqualTo("UNDONE: undone by " + undo.id());
            assertThat(region.places()).containsExactly("m1 a", "n1 b");
        }

        @Test
        void isRefusedByName() {
            assertThat(region.refusal(place("x", 1))).isEqualTo("MODEL_UNKNOWN: no node of region eu has a bundle x");
            assertThat(region.refusal(place("bound", 1)))
                    .isEqualTo("RESIDENCY_FORBIDS: the residency of bound does not allow region eu");
            assertThat(region.refusal(place("m", 1, "z"))).isEqualTo("NODE_UNKNOWN: there is no node z in region eu");
            assertThat(region.refusal(place("m", 4)))
                    .isEqualTo("TOO_FEW_NODES: 4 replicas of m, one on a node, and 3 nodes can hold one");
            assertThat(region.refusal(place("m", 2, "a")))
                    .isEqualTo("TOO_FEW_NODES: 2 replicas of m, one on a node, and 1 node can hold one");
            region.budgets.put("c", 9L);
            region.budgets.put("b", 15L);
            assertThat(region.refusal(place("m", 2)))
                    .isEqualTo("OVER_BUDGET: m needs 10 bytes, node b has 5 left of 15");
            region.table = region.table.withDraining(List.of("c"));
            assertThat(region.refusal(place("m", 1, "c"))).isEqualTo("NODE_DRAINING: node c is drained");
        }

        @Test
        void needsTheBundleOnItsNodes() {
            List<NodeFacts> nodes =
                    List.of(Facts.of("a").offers("m").build(), Facts.of("b").build());
            Situation now =
                    new Situation(region.table, nodes, Set.of(), Set.of(), Facts.settings(1), Wanted.usual(1), NOW);
            PlacementReply reply =
                    new PlacementCommands(now).decide(place("m", 1, "b")).reply();

            assertThat(reply.toString()).contains("BUNDLE_MISSING", "node b has no bundle m");
        }

        @Test
        void withTheSameKeyIsTheSameChange() {
            Place keyed = new Place(new ModelPlacement("m", 2, List.of()), false, "me", "key", me);
            Change change = region.begin(keyed);

            assertThat(region.begin(keyed)).isEqualTo(change);
            assertThat(region.refusal(new Unplace("m", false, false, "me", "key", me)))
                    .startsWith("IDEMPOTENCY_KEY_REUSED: ");
            assertThat(region.refusal(undo(change.id(), "key"))).startsWith("IDEMPOTENCY_KEY_REUSED: ");
        }
    }

    @Nested
    final class ModelsThatAreUnplaced {
        private final Region region = new Region("a", "b", "c");

        @Test
        void areHeldByNobody() {
            region.odd.put("a", Map.of(FIRST, DRAINING));
            Change change = region.begin(unplace("m", false));
            region.plan();

            assertThat(change.plan())
                    .containsExactly("unload " + FIRST + " on a: no stream runs on it now", "place nothing of m in eu");
            assertThat(region.places()).containsExactly("n1 b");
            assertThat(region.state(change)).isEqualTo("RUNNING: lets the streams of 1 end");
            region.odd.clear();
            region.settle();
            assertThat(region.state(change)).isEqualTo("DONE: holds nothing of it");
        }

        @Test
        void areServedElsewhereUnlessItIsForced() {
            region.elsewhere = Set.of("n");

            assertThat(region.refusal(unplace("m", false))).isEqualTo("LAST_REPLICA: no other region serves m");
            assertThat(region.carryOut(unplace("m", true)).state()).isEqualTo(State.DONE);
            assertThat(region.refusal(unplace("x", true)))
                    .isEqualTo("MODEL_UNKNOWN: no node of region eu has a bundle x");
        }

        @Test
        void comeBackWhereTheyWere() {
            region.carryOut(move(FIRST, "c"));
            Change change = region.carryOut(unplace("m", false));

            Change undo = region.begin(undo(change));

            assertThat(undo.verb()).isEqualTo(Verb.UNDO);
            assertThat(undo.effect().undoes()).isEqualTo(new Undone(change.id(), Verb.UNPLACE));
            assertThat(undo.plan())
                    .containsExactly("load " + FIRST + " on c: 10 bytes", "hold the usual 1 replica of m in eu");
            region.settle();
            assertThat(region.places()).containsExactly("m1 c", "n1 b");
            assertThat(region.state(undo)).isEqualTo("DONE: 1 of 1 serve");
            assertThat(region.table.placements()).isEmpty();
        }

        @Test
        void comeBackElsewhereWhereTheirNodeIsFull() {
            Change change = region.carryOut(unplace("m", false));
            region.budgets.put("a", 5L);

            region.carryOut(undo(change));

            assertThat(region.places()).containsExactly("m1 c", "n1 b");
        }
    }

    @Nested
    final class AnUndo {
        private final Region region = new Region("a", "b", "c");

        /** Which would keep for a while what was placed a moment ago. */
        @Test
        void restoresWhatWasWhateverAPolicyMakesOfIt() {
            Change change = region.carryOut(place("m", 3));
            region.wanted = new Wanted(0, Map.of("m", 3, "n", 1), true);

            Change undo = region.carryOut(undo(change));

            assertThat(region.state(undo)).isEqualTo("DONE: 1 of 1 serve");
            region.wanted = new Wanted(0, Map.of("m", 1, "n", 1), true);
            region.settle();
            assertThat(region.places()).containsExactly("m1 a", "n1 b");
        }

        @Test
        void ofAMoveMovesBack() {
            Change change = region.carryOut(move(FIRST, "c"));

            Change undo = region.begin(undo(change));

            assertThat(undo.plan())
                    .containsExactly(
                            "load " + FIRST + " on a: 10 bytes",
                            "send new requests to a",
                            "let its streams on c end: no stream runs on it now",
                            "unload it on c");
            assertThat(region.places()).contains("m1 c>a");
            region.settle();
            assertThat(region.places()).containsExactly("m1 a", "n1 b");
            assertThat(region.state(undo)).isEqualTo("DONE: serves on a");
            assertThat(region.state(change)).isEqualTo("UNDONE: undone by " + undo.id());
        }

        @Test
        void ofAMoveIsRefusedAsAMoveIs() {
            Change change = region.carryOut(move(FIRST, "c"));
            region.budgets.put("a", 5L);

            assertThat(region.refusal(undo(change))).isEqualTo("OVER_BUDGET: m needs 10 bytes, node a has 5 left of 5");
        }

        @Test
        void ofADrainBringsBackWhatThatMovedAndIsStillThere() {
            region.carryOut(move(Facts.replica("n", 1), "a"));
            Change drain = region.carryOut(drain("a"));
            assertThat(region.places()).containsExactly("m1 b", "n1 c");
            region.carryOut(move(Facts.replica("n", 1), "b"));

            Change undo = region.begin(undo(drain));

            assertThat(undo.plan())
                    .containsExactly(
                            "let a hold replicas again",
                            "move " + FIRST + " back to a: 10 bytes; no stream runs on it now",
                            "leave " + Facts.replica("n", 1) + ", which has moved since, on b");
            region.settle();
            assertThat(region.places()).containsExactly("m1 a", "n1 b");
            assertThat(region.table.draining()).isEmpty();
            assertThat(region.state(undo)).isEqualTo("DONE: may hold replicas; 1 of 1 are back");
            assertThat(region.state(drain)).isEqualTo("UNDONE: undone by " + undo.id());
        }

        @Test
        void ofADrainLeavesWhatDoesNotFitAnyMore() {
            Change drain = region.carryOut(drain("a"));
            region.budgets.put("a", 5L);

            Change undo = region.carryOut(undo(drain));

            assertThat(undo.plan()).anyMatch(step -> step.endsWith("m needs 10 bytes, node a has 5 left of 5"));
            assertThat(region.state(undo)).isEqualTo("DONE: may hold replicas; 0 of 0 are back");
        }

        @Test
        void ofAnUndrainDrainsAgain() {
            region.carryOut(drain("a"));
            Change undrain = region.carryOut(undrain("a"));
            region.carryOut(move(FIRST, "a"));

            Change undo = region.carryOut(undo(undrain));

            assertThat(region.table.draining()).containsExactly("a");
            assertThat(region.state(undo)).isEqualTo("DONE: holds nothing");
            assertThat(region.state(undrain)).isEqualTo("UNDONE: undone by " + undo.id());
        }

        @Test
        void ofAPlacementRestoresTheOneBefore() {
            Change two = region.carryOut(place("m", 2, "a", "c"));
            Change one = region.carryOut(place("m", 1, "b"));
            assertThat(region.places()).containsExactly("m1 b", "n1 b");

            region.carryOut(undo(one));

            assertThat(region.places()).containsExactly("m1 a", "m2 c", "n1 b");
            assertThat(region.table.placement("m")).contains(new ModelPlacement("m", 2, List.of("a", "c")));
            region.carryOut(undo(two));
            assertThat(region.places()).containsExactly("m1 a", "n1 b");
            assertThat(region.table.placements()).isEmpty();
            assertThat(region.table.changes().stream().map(Change::state))
                    .containsExactly(State.UNDONE, State.UNDONE, State.DONE, State.DONE);
        }

        @Test
        void ofAPlacementIsRefusedWhereNothingWouldServe() {
            region.carryOut(unplace("m", false));
            Change place = region.carryOut(place("m", 1));
            region.elsewhere = Set.of();

            assertThat(region.refusal(undo(place))).isEqualTo("LAST_REPLICA: no other region serves m");
        }

        @Test
        void isRefusedByName() {
            Change move = region.begin(move(FIRST, "c"));
            assertThat(region.refusal(undo("chg-none", null)))
                    .isEqualTo("CHANGE_UNKNOWN: there is no change chg-none in region eu");
            assertThat(region.refusal(undo(move)))
                    .isEqualTo("CHANGE_RUNNING: " + move.id() + " runs still; wait until it is over");
            region.settle();
            Change undo = region.begin(undo(move));
            assertThat(region.refusal(undo(move)))
                    .isEqualTo("CHANGE_RUNNING: " + undo.id() + " undoes " + move.id() + " already");
            region.settle();
            assertThat(region.refusal(undo(move))).isEqualTo("ALREADY_UNDONE: " + move.id() + " is undone already");
            assertThat(region.refusal(undo(undo)))
                    .isEqualTo("UNDO_OF_UNDO: " + undo.id() + " is an undo itself; ask for what it has undone again");
            Change idle = region.carryOut(undrain("a"));
            assertThat(region.refusal(undo(idle))).isEqualTo("NOTHING_TO_UNDO: " + idle.id() + " has changed nothing");
            Change failed = region.begin(move(FIRST, "c"));
            region.odd.put("c", Map.of(FIRST, FAILED));
            region.settle();
            assertThat(region.state(failed)).isEqualTo("FAILED: c could not load it before it served");
            assertThat(region.refusal(undo(failed)))
                    .isEqualTo("CHANGE_FAILED: " + failed.id() + " has failed, and there is nothing to undo");
        }

        @Test
        void isRefusedWhereALaterChangeIsAboutTheSame() {
            Change first = region.carryOut(move(FIRST, "c"));
            for (PlacementCommand later : List.of(move(FIRST, "b"), drain("c"), place("m", 2), unplace("m", false))) {
                PinTable before = region.table;
                Change second = region.carryOut(later);
                assertThat(region.refusal(undo(first)))
                        .as("%s", later)
                        .isEqualTo("SUPERSEDED: " + second.id() + " has changed the same after " + first.id()
                                + "; undo that first");
                region.table = before;
            }
        }

        @Test
        void isPossibleOnceTheLaterChangeIsUndone() {
            Change first = region.carryOut(move(FIRST, "c"));
            Change second = region.carryOut(move(FIRST, "b"));
            region.carryOut(undo(second));

            region.carryOut(undo(first));

            assertThat(region.places()).containsExactly("m1 a", "n1 b");
        }

        @Test
        void isRefusedWhereThePlacementItselfHasMovedTheReplicaOn() {
            Change move = region.carryOut(move(FIRST, "c"));
            region.table = region.table.withPins(List.of(new Pin(FIRST, "b", 99, null)));

            assertThat(region.refusal(undo(move)))
                    .isEqualTo("SUPERSEDED: " + FIRST + " is on b by now, where " + move.id() + " has not put it");
        }

        @Test
        void withTheSameKeyIsTheSameChange() {
            Change move = region.carryOut(move(FIRST, "c"));
            Change undo = region.begin(undo(move.id(), "key"));

            assertThat(region.begin(undo(move.id(), "key"))).isEqualTo(undo);
            assertThat(region.refusal(undo("chg-other", "key"))).startsWith("IDEMPOTENCY_KEY_REUSED: ");
        }

        @Test
        void asADryRunChangesNothing() {
            for (PlacementCommand command :
                    Arrays.asList(move(FIRST, "c"), drain("a"), place("m", 2), unplace("m", false))) {
                Region fresh = new Region("a", "b", "c");
                Change change = fresh.carryOut(command);
                Decision decision = fresh.decide(new Undo(change.id(), true, "me", null, me));

                assertThat(decision.table()).as("%s", command).isSameAs(fresh.table);
                assertThat(((Planned) decision.reply()).change().state()).isEqualTo(State.PLANNED);
            }
        }
    }

    @Test
    void streamsThatWouldBreakAreSaid() {
        NodeFacts busy = new NodeFacts(
                "a",
                true,
                false,
                false,
                100,
                10,
                0,
                List.of(Facts.model("m")),
                List.of(new ReplicaStatus(FIRST, 1, READY, Facts.model("m"), 2, 10, 0, null)));

        assertThat(PlanText.streams(busy, FIRST, Facts.settings(1).drainDeadline(), "go on elsewhere"))
                .isEqualTo("12 streams run on it; those that are not over after 30 s go on elsewhere");
        assertThat(PlanText.bytes(1023)).isEqualTo("1023 bytes");
        assertThat(PlanText.bytes(3L << 29)).isEqualTo("1.5 GiB");
    }
}
