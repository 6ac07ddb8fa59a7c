package dev.meridian.placement;

import static dev.meridian.protocol.cluster.ReplicaState.DRAINING;
import static dev.meridian.protocol.cluster.ReplicaState.FAILED;
import static dev.meridian.protocol.cluster.ReplicaState.LOADING;
import static dev.meridian.protocol.cluster.ReplicaState.READY;
import static dev.meridian.protocol.cluster.ReplicaState.STANDBY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelInfo;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.ReplicaId;
import dev.meridian.protocol.cluster.Residency;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

final class PlacementPlannerTest {
    private static final ReplicaId FIRST = Facts.replica("m", 1);
    private static final ReplicaId SECOND = Facts.replica("m", 2);
    private static final long NOW = 5000;

    private static PinTable plan(PinTable before, int wanted, Facts... facts) {
        List<NodeFacts> nodes = Stream.of(facts).map(Facts::build).toList();
        PinTable after = PlacementPlanner.plan(before, nodes, Wanted.usual(wanted), NOW);
        assertThat(PlacementPlanner.plan(after, nodes, Wanted.usual(wanted), NOW))
                .as("planned again on the same facts")
                .isSameAs(after);
        return after;
    }

    private static Facts node(String id) {
        return Facts.of(id).offers("m");
    }

    private static Pin pin(ReplicaId replica, String node, long generation) {
        return new Pin(replica, node, generation, null);
    }

    private static Pin moving(ReplicaId replica, String from, long generation, String to) {
        return new Pin(replica, from, generation, to);
    }

    private static PinTable table(long generation, Pin... pins) {
        return PinTable.empty(Facts.REGION).withGeneration(generation).withPins(List.of(pins));
    }

    private static PinTable with(PinTable table, Change... changes) {
        return table.withChanges(List.of(changes));
    }

    private static PinTable draining(PinTable table, String... nodes) {
        return table.withDraining(List.of(nodes));
    }

    private static Change running(Verb verb, @Nullable ReplicaId replica, String from, @Nullable String to) {
        return new Change(
                "chg", verb, "me", replica, from, to, List.of(), State.RUNNING, "", 3, 1, 1, null, Effect.NONE);
    }

    private static Change move() {
        return running(Verb.MOVE, FIRST, "a", "b");
    }

    private static Change drain(String node) {
        return running(Verb.DRAIN, null, node, null);
    }

    private static String change(PinTable table) {
        Change change = table.change("chg").orElseThrow();
        return change.state() + ": " + change.progress();
    }

    @Nested
    final class NewModels {
        @Test
        void areSpreadOverNodesThatHaveTheirBundle() {
            PinTable after = plan(PinTable.empty(Facts.REGION), 2, node("a"), node("b"), node("c"), Facts.of("d"));

            assertThat(after.pins()).containsExactly(pin(FIRST, "a", 1), pin(SECOND, "b", 1));
            assertThat(after.generation()).isEqualTo(1);
        }

        @Test
        void goToTheNodesThatHoldTheFewest() {
            Facts busy = Facts.of("a").offers("m", "n").holds(Facts.replica("n", 1), READY, 1);
            PinTable before = table(1, pin(Facts.replica("n", 1), "a", 1));

            assertThat(plan(before, 1, busy, node("b")).pins())
                    .containsExactly(pin(FIRST, "b", 2), pin(Facts.replica("n", 1), "a", 1));
        }

        @Test
        void haveNoTwoReplicasOnOneNode() {
            assertThat(plan(PinTable.empty(Facts.REGION), 3, node("a"), node("b"))
                            .pins())
                    .containsExactly(pin(FIRST, "a", 1), pin(SECOND, "b", 1));
        }

        @Test
        void shareTheRoomThatThereIs() {
            Facts small = Facts.of("a").offers("m", "n", "o").budget(2 * Facts.WEIGHT);

            assertThat(plan(PinTable.empty(Facts.REGION), 1, small).pins())
                    .containsExactly(pin(FIRST, "a", 1), pin(Facts.replica("n", 1), "a", 1));
        }

        @Test
        void doNotGoToNodesThatAreSilentLeaveOrAreDrained() {
            PinTable before = draining(table(4), "c");

            assertThat(plan(before, 1, node("a").silent(), node("b").leaving(), node("c")))
                    .isSameAs(before);
        }

        @Test
        void whoseBundleHasNoNameForAReplicaAreLeftOut() {
            Facts odd = node("a")
                    .offers(new ModelInfo("with space", Facts.DIGEST, 1, 1, 0, "int4", 1, Residency.ANYWHERE))
                    .offers(new ModelInfo("n", "no digest", 1, 1, 0, "int4", 1, Residency.ANYWHERE));

            assertThat(plan(PinTable.empty(Facts.REGION), 1, odd).pins()).containsExactly(pin(FIRST, "a", 1));
        }

        @Test
        void twoBundlesOfOneNameAreTwoVariantsOnDifferentNodes() {
            ModelInfo newer = new ModelInfo("m", "ba9876543210", 100, 100, 0, "int4", Facts.WEIGHT, Residency.ANYWHERE);

            assertThat(plan(
                                    PinTable.empty(Facts.REGION),
                                    1,
                                    node("a").offers(newer),
                                    node("b").offers(newer))
                            .pins())
                    .containsExactly(
                            pin(FIRST, "a", 1), pin(new ReplicaId(Facts.REGION, "m", "ba9876543210", 1), "b", 1));
        }
    }

    @Nested
    final class AMove {
        private final PinTable begun = with(table(3, moving(FIRST, "a", 3, "b")), move());

        @Test
        void waitsUntilItsTargetHasLoaded() {
            PinTable after =
                    plan(begun, 1, node("a").holds(FIRST, READY, 3), node("b").holds(FIRST, LOADING, 3));

            assertThat(after.pins()).isEqualTo(begun.pins());
            assertThat(change(after)).isEqualTo("RUNNING: loads on b");
        }

        @Test
        void pinsTheReplicaToItsTargetOnceThatStandsBy() {
            PinTable after =
                    plan(begun, 1, node("a").holds(FIRST, READY, 3), node("b").holds(FIRST, STANDBY, 3));

            assertThat(after.pins()).containsExactly(pin(FIRST, "b", 4));
            assertThat(change(after)).isEqualTo("RUNNING: starts on b");
        }

        @Test
        void isNotMisledByWhatItsTargetSaidOfAnEarlierStay() {
            for (var earlier : List.of(READY, STANDBY, FAILED)) {
                PinTable after = plan(
                        begun, 1, node("a").holds(FIRST, READY, 3), node("b").holds(FIRST, earlier, 2));

                assertThat(after.pins()).as("%s", earlier).isEqualTo(begun.pins());
            }
        }

        @Test
        void letsTheOldReplicaDrainOnceTheNewOneServes() {
            PinTable flipped = with(table(4, pin(FIRST, "b", 4)), move());

            assertThat(change(plan(
                            flipped,
                            1,
                            node("a").holds(FIRST, DRAINING, 3),
                            node("b").holds(FIRST, READY, 4))))
                    .isEqualTo("RUNNING: drains on a");
        }

        @Test
        void isDoneOnceTheOldReplicaIsUnloaded() {
            PinTable flipped = with(table(4, pin(FIRST, "b", 4)), move());

            assertThat(change(plan(flipped, 1, node("a"), node("b").holds(FIRST, READY, 4))))
                    .isEqualTo("DONE: serves on b");
        }

        @Test
        void isDoneWhereTheOldReplicaHadFailed() {
            PinTable flipped = with(table(4, pin(FIRST, "b", 4)), move());

            assertThat(change(plan(
                            flipped,
                            1,
                            node("a").holds(FIRST, FAILED, 3),
                            node("b").holds(FIRST, READY, 4))))
                    .isEqualTo("DONE: serves on b");
        }

        @Test
        void isTakenBackWhereItsTargetCannotLoad() {
            PinTable after =
                    plan(begun, 1, node("a").holds(FIRST, READY, 3), node("b").holds(FIRST, FAILED, 3));

            assertThat(after.pins()).containsExactly(pin(FIRST, "a", 4));
            assertThat(change(after)).isEqualTo("FAILED: b could not load it before it served");
        }

        @Test
        void isTakenBackWhereItsTargetIsGoneWhateverThatSaidLast() {
            for (var last : List.of(LOADING, STANDBY, READY)) {
                PinTable after = plan(
                        begun,
                        1,
                        node("a").holds(FIRST, READY, 3),
                        node("b").holds(FIRST, last, 3).gone());

                assertThat(after.pins()).as("%s", last).containsExactly(pin(FIRST, "a", 4));
                assertThat(change(after)).isEqualTo("FAILED: b was lost before it served");
            }
        }

        @Test
        void isTakenBackWhereItsTargetCameBackWithoutTheBundle() {
            PinTable after = plan(begun, 1, node("a").holds(FIRST, READY, 3), Facts.of("b"));

            assertThat(after.pins()).containsExactly(pin(FIRST, "a", 4));
            assertThat(change(after)).isEqualTo("FAILED: b has no such bundle before it served");
        }

        @Test
        void isTakenBackWhereItsTargetIsDrainedOrLeaves() {
            Facts source = node("a").holds(FIRST, READY, 3);

            assertThat(change(plan(draining(begun, "b"), 1, source, node("b").holds(FIRST, STANDBY, 3))))
                    .isEqualTo("FAILED: b is drained or stops");
            assertThat(plan(begun, 1, source, node("b").holds(FIRST, STANDBY, 3).leaving())
                            .pins())
                    .containsExactly(pin(FIRST, "a", 4));
        }

        @Test
        void goesOnWhileItsTargetIsOnlySilent() {
            assertThat(plan(
                                    begun,
                                    1,
                                    node("a").holds(FIRST, READY, 3),
                                    node("b").silent())
                            .pins())
                    .isEqualTo(begun.pins());
        }

        @Test
        void goesOnWithoutItsSource() {
            PinTable after = plan(
                    begun, 1, node("a").holds(FIRST, READY, 3).gone(), node("b").holds(FIRST, LOADING, 3));

            assertThat(after.pins()).containsExactly(pin(FIRST, "b", 4));
            assertThat(change(after)).isEqualTo("RUNNING: starts on b");
        }

        @Test
        void failsWhereSourceAndTargetAreGone() {
            PinTable after = plan(begun, 1, node("a").gone(), node("b").gone(), node("c"));

            assertThat(after.pins()).containsExactly(pin(FIRST, "c", 4));
            assertThat(change(after)).isEqualTo("FAILED: b was lost before it served");
        }

        @Test
        void failsWhereItsTargetFailsAfterItsSourceWasLost() {
            PinTable flipped = with(table(4, pin(FIRST, "b", 4)), move());

            assertThat(change(plan(flipped, 1, node("a").gone(), node("b").holds(FIRST, FAILED, 4))))
                    .isEqualTo("FAILED: b could not load it before it served");
            assertThat(change(plan(flipped, 1, node("a").gone(), node("b").holds(FIRST, FAILED, 4), node("c"))))
                    .isEqualTo("FAILED: it is on c now");
        }

        @Test
        void failsWhereItsReplicaIsNoMore() {
            PinTable without = with(table(4), move());

            assertThat(change(plan(without, 1, Facts.of("a")))).isEqualTo("FAILED: the replica is gone");
        }
    }

    @Nested
    final class AReplica {
        private final PinTable pinned = table(3, pin(FIRST, "a", 3));

        @Test
        void staysOnANodeThatIsOnlySilent() {
            assertThat(plan(pinned, 1, node("a").holds(FIRST, READY, 3).silent(), node("b")))
                    .isSameAs(pinned);
        }

        @Test
        void goesElsewhereWhereItsNodeIsGoneOrUnknown() {
            assertThat(plan(pinned, 1, node("a").gone(), node("b")).pins()).containsExactly(pin(FIRST, "b", 4));
            assertThat(plan(pinned, 1, node("b")).pins()).containsExactly(pin(FIRST, "b", 4));
        }

        @Test
        void goesElsewhereWhereItsNodeCouldNotLoadIt() {
            assertThat(plan(pinned, 1, node("a").holds(FIRST, FAILED, 3), node("b"))
                            .pins())
                    .containsExactly(pin(FIRST, "b", 4));
        }

        @Test
        void goesElsewhereWhereItsNodeHasTheBundleNoMore() {
            assertThat(plan(pinned, 1, Facts.of("a"), node("b")).pins()).containsExactly(pin(FIRST, "b", 4));
        }

        @Test
        void isNotTakenFromANodeForAnEarlierFailure() {
            assertThat(plan(pinned, 1, node("a").holds(FIRST, FAILED, 2), node("b")))
                    .isSameAs(pinned);
        }

        @Test
        void waitsForItsNodeWhereNobodyElseCanTakeIt() {
            assertThat(plan(pinned, 1, node("a").gone(), Facts.of("b"))).isSameAs(pinned);
        }

        @Test
        void waitsForItsNodeWhereAllOthersHoldItsModel() {
            PinTable both = table(3, pin(FIRST, "a", 3), pin(SECOND, "b", 3));

            assertThat(plan(both, 2, node("a").gone(), node("b").holds(SECOND, READY, 3)))
                    .isSameAs(both);
        }

        @Test
        void goesWithTheLastBundle() {
            assertThat(plan(pinned, 1, Facts.of("a"), Facts.of("b")).pins()).isEmpty();
        }
    }

    @Nested
    final class ANodeThatIsEmptied {
        private final PinTable pinned = table(3, pin(FIRST, "a", 3));
        private final Facts holder = node("a").holds(FIRST, READY, 3);

        @Test
        void handsItsReplicasOverBeforeItLetsThemGo() {
            assertThat(plan(draining(pinned, "a"), 1, holder, node("b")).pins())
                    .containsExactly(moving(FIRST, "a", 4, "b"));
        }

        @Test
        void handsThemOverWhenItLeaves() {
            assertThat(plan(pinned, 1, holder.leaving(), node("b")).pins()).containsExactly(moving(FIRST, "a", 4, "b"));
        }

        @Test
        void keepsWhatNobodyElseCanTake() {
            PinTable drained = with(draining(pinned, "a"), drain("a"));

            PinTable after = plan(drained, 1, holder, Facts.of("b"));

            assertThat(after.pins()).isEqualTo(pinned.pins());
            assertThat(change(after)).isEqualTo("RUNNING: waits: no other node can take " + FIRST);
        }

        @Test
        void dropsWhatNobodyElseCanTakeWhereAnotherServes() {
            PinTable both = draining(table(3, pin(FIRST, "a", 3), pin(SECOND, "b", 3)), "a");

            assertThat(plan(both, 2, holder, node("b").holds(SECOND, READY, 3)).pins())
                    .containsExactly(pin(SECOND, "b", 3));
        }

        @Test
        void dropsNothingWhileTheOtherDoesNotServeOrIsNotHeardOrIsToGoAsWell() {
            PinTable both = draining(table(3, pin(FIRST, "a", 3), pin(SECOND, "b", 3)), "a");

            for (Facts other : List.of(
                    node("b").holds(SECOND, LOADING, 3),
                    node("b").holds(SECOND, READY, 2),
                    node("b").holds(SECOND, READY, 3).silent(),
                    node("b").holds(SECOND, READY, 3).leaving())) {
                assertThat(plan(both, 2, holder, other)).isSameAs(both);
            }
            PinTable bothDrained = draining(both, "a", "b");
            assertThat(plan(bothDrained, 2, holder, node("b").holds(SECOND, READY, 3)))
                    .isSameAs(bothDrained);
        }

        @Test
        void isDoneOnceItHoldsNothing() {
            PinTable moved = with(draining(table(4, pin(FIRST, "b", 4)), "a"), drain("a"));
            Facts other = node("b").holds(FIRST, READY, 4);

            assertThat(change(plan(moved, 1, node("a").holds(FIRST, DRAINING, 3), other)))
                    .isEqualTo("RUNNING: lets the streams of 1 end");
            assertThat(change(plan(moved, 1, node("a").holds(FIRST, FAILED, 3), other)))
                    .isEqualTo("DONE: holds nothing");
            assertThat(change(plan(moved, 1, node("a"), other))).isEqualTo("DONE: holds nothing");
            assertThat(change(plan(moved, 1, node("a").holds(FIRST, READY, 3).gone(), other)))
                    .isEqualTo("DONE: holds nothing");
        }

        @Test
        void saysHowManyAreOnTheirWay() {
            PinTable moving = with(draining(table(4, moving(FIRST, "a", 4, "b")), "a"), drain("a"));

            assertThat(change(plan(moving, 1, holder, node("b").holds(FIRST, LOADING, 4))))
                    .isEqualTo("RUNNING: moves 1 of its replicas");
        }
    }

    @Test
    void nothingChangesWhereAllIsAsItShouldBe() {
        PinTable both = table(3, pin(FIRST, "a", 1), pin(SECOND, "b", 3));

        assertThat(plan(both, 2, node("a").holds(FIRST, READY, 1), node("b").holds(SECOND, READY, 3), node("c")))
                .isSameAs(both);
    }
}
