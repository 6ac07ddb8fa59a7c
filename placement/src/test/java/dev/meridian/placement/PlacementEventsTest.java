package dev.meridian.placement;

import static dev.meridian.protocol.cluster.ReplicaState.FAILED;
import static dev.meridian.protocol.cluster.ReplicaState.READY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.placement.policy.PlacementPlan;
import dev.meridian.placement.policy.PlacementPlan.Target;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.ReplicaId;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class PlacementEventsTest {
    private static final ReplicaId FIRST = Facts.replica("m", 1);
    private static final ReplicaId OTHER = Facts.replica("n", 1);
    private static final PlacementPlan PLAN = new PlacementPlan(
            "follow-demand",
            List.of(
                    new Target(Facts.REGION, "m", 1, 1, 1, "3.0 requests a minute"),
                    new Target(Facts.REGION, "n", 1, 0, 0, "nobody asks for it")));

    private final Facts a = Facts.of("a").offers("m", "n");
    private final Facts b = Facts.of("b").offers("m", "n");

    private static PinTable table(long generation, Pin... pins) {
        return PinTable.empty(Facts.REGION).withGeneration(generation).withPins(List.of(pins));
    }

    private static Pin pin(ReplicaId replica, String node, @Nullable String next) {
        return new Pin(replica, node, 1, next);
    }

    private static Change change(
            String id, Verb verb, @Nullable ReplicaId replica, String from, State state, Effect effect) {
        return new Change(id, verb, "alice", replica, from, null, List.of(), state, "how it is", 1, 0, 0, null, effect);
    }

    private static Effect about(String model) {
        return new Effect(0, 0, false, model, null, null, List.of(), null);
    }

    /** What is told of a new table: kind, replica's model, from, node, by, reason. */
    private List<String> events(PinTable before, PinTable after) {
        return PlacementEvents.follow(before, after, List.of(a.build(), b.build()), PLAN, 5000).events().stream()
                .map(event -> event.kind() + " " + event.model() + " " + event.from() + ">" + event.node() + " by "
                        + event.by() + ": " + event.reason())
                .toList();
    }

    @Test
    void whatThePolicyWantsHasItsReason() {
        assertThat(events(table(1, pin(OTHER, "b", null)), table(2, pin(FIRST, "a", null))))
                .containsExactly(
                        "PLACED m null>a by policy:follow-demand: 3.0 requests a minute",
                        "REMOVED n b>null by policy:follow-demand: nobody asks for it");
    }

    @Test
    void whatAnOperatorHasPlacedIsNotThePolicys() {
        PinTable placed = table(1).withPlacement("m", new ModelPlacement("m", 2, List.of()));

        assertThat(events(placed, placed.withGeneration(2).withPins(List.of(pin(FIRST, "a", null)))))
                .containsExactly("PLACED m null>a by placement: an operator has placed 2 replicas of m");
    }

    @Test
    void aChangeAndWhatItDoesAreByWhoAsked() {
        Change begun = change("chg-1", Verb.MOVE, FIRST, "a", State.RUNNING, Effect.NONE);
        PinTable before = table(1, pin(FIRST, "a", null));
        PinTable moving = table(2, pin(FIRST, "a", "b")).withChanges(List.of(begun));
        PinTable flipped = table(3, pin(FIRST, "b", null)).withChanges(List.of(begun));
        PinTable done = flipped.withGeneration(4).withChanges(List.of(begun.with(State.DONE, "serves on b", 1)));

        assertThat(events(before, moving))
                .containsExactly("CHANGE m a>null by alice: chg-1: move begins", "MOVING m a>b by alice: chg-1: move");
        assertThat(events(moving, flipped)).containsExactly("MOVED m a>b by alice: chg-1: move");
        assertThat(events(flipped, done)).containsExactly("CHANGE m a>null by alice: chg-1: move done: serves on b");
    }

    @Test
    void aDrainMovesWhatIsOnItsNode() {
        Change drain = change("chg-1", Verb.DRAIN, null, "a", State.RUNNING, Effect.NONE);
        PinTable before = table(1, pin(FIRST, "a", null), pin(OTHER, "b", null))
                .withDraining(List.of("a"))
                .withChanges(List.of(drain));

        assertThat(events(before, before.withGeneration(2).withPins(List.of(pin(FIRST, "a", "b")))))
                .containsExactly(
                        "MOVING m a>b by alice: chg-1: drain",
                        "REMOVED n b>null by policy:follow-demand: nobody asks for it");
    }

    @Test
    void anUndoNamesWhatItUndoes() {
        Effect effect = about("m").undoing(new Undone("chg-1", Verb.PLACE));
        Change undo = change("chg-2", Verb.UNDO, null, "", State.RUNNING, effect);

        assertThat(events(table(1, pin(FIRST, "a", null)), table(2).withChanges(List.of(undo))))
                .containsExactly(
                        "CHANGE m null>null by alice: chg-2: undo of chg-1 begins",
                        "REMOVED m a>null by alice: chg-2: undo of chg-1");
    }

    @Test
    void aChangeThatIsOverExplainsNothingMore() {
        Change done = change("chg-1", Verb.PLACE, null, "", State.DONE, about("m"));
        PinTable before = table(1).withChanges(List.of(done));

        assertThat(events(before, before.withGeneration(2).withPins(List.of(pin(FIRST, "a", null)))))
                .containsExactly("PLACED m null>a by policy:follow-demand: 3.0 requests a minute");
    }

    @Test
    void whatALostNodeHeldIsPlacedByThePlacement() {
        a.gone();

        assertThat(events(table(1, pin(FIRST, "a", null)), table(2, pin(FIRST, "b", null))))
                .containsExactly("MOVED m a>b by placement: a was lost");
    }

    @Test
    void whatANodeThatStopsHeldIsPlacedByThePlacement() {
        a.leaving();

        assertThat(events(table(1, pin(FIRST, "a", null)), table(2, pin(FIRST, "a", "b"))))
                .containsExactly("MOVING m a>b by placement: a is about to stop");
    }

    @Test
    void aMoveThatIsGivenUpSaysWhy() {
        Change begun = change("chg-1", Verb.MOVE, FIRST, "a", State.RUNNING, Effect.NONE);
        PinTable before = table(1, pin(FIRST, "a", "b")).withChanges(List.of(begun));
        b.holds(FIRST, FAILED, 1);

        assertThat(events(
                        before,
                        table(2, pin(FIRST, "a", null))
                                .withChanges(List.of(begun.with(State.FAILED, "b could not load it", 1)))))
                .containsExactly(
                        "STAYED m b>a by placement: b could not load it before it served",
                        "CHANGE m a>null by alice: chg-1: move failed: b could not load it");
    }

    @Test
    void aBundleThatNobodyHasAnyMoreTakesItsReplicaAlong() {
        assertThat(events(table(1, pin(Facts.replica("x", 1), "a", null)), table(2)))
                .containsExactly("REMOVED x a>null by placement: no node has its bundle any more");
    }

    @Test
    void progressIsNoEvent() {
        Change begun = change("chg-1", Verb.MOVE, FIRST, "a", State.RUNNING, Effect.NONE);
        PinTable before = table(1, pin(FIRST, "a", "b")).withChanges(List.of(begun));

        assertThat(events(
                        before,
                        before.withGeneration(2).withChanges(List.of(begun.with(State.RUNNING, "starts on b", 1)))))
                .isEmpty();
    }

    @Test
    void whatIsNoNewerIsLeftAsItIs() {
        PinTable table = table(3, pin(FIRST, "a", null));

        assertThat(PlacementEvents.follow(table, table, List.of(), PLAN, 1)).isSameAs(table);
    }

    /** So that an event can be named: what is forgotten first does not change the others' numbers. */
    @Test
    void theNewestAreKeptAndTheirNumbers() {
        Pin[] pins = IntStream.rangeClosed(1, PinTable.MAX_EVENTS + 1)
                .mapToObj(number -> pin(Facts.replica("m", number), "a", null))
                .toArray(Pin[]::new);
        PinTable first = PlacementEvents.follow(table(1), table(2, pins), List.of(a.build()), PLAN, 1);
        PinTable second = PlacementEvents.follow(
                first,
                first.withGeneration(3)
                        .withPins(Stream.concat(first.pins().stream(), Stream.of(pin(OTHER, "a", null)))
                                .toList()),
                List.of(a.holds(FIRST, READY, 1).build()),
                PLAN,
                2);

        assertThat(first.events()).hasSize(PinTable.MAX_EVENTS).first().returns(1, PlacementEvent::index);
        assertThat(second.events()).hasSize(PinTable.MAX_EVENTS).first().returns(2, PlacementEvent::index);
        assertThat(second.events()).last().returns(0, PlacementEvent::index);
    }

    @Test
    void aReasonIsCut() {
        PlacementPlan wordy = new PlacementPlan(
                "wordy",
                List.of(new Target(Facts.REGION, "m", 0, 1, 1, String.join("", Collections.nCopies(300, "🙂")))));

        assertThat(PlacementEvents.follow(table(1), table(2, pin(FIRST, "a", null)), List.of(a.build()), wordy, 1)
                        .events()
                        .getFirst()
                        .reason())
                .hasSizeLessThanOrEqualTo(PlacementEvent.MAX_REASON)
                .endsWith("🙂…");
    }
}
