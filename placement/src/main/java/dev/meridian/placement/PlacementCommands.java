package dev.meridian.placement;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand;
import dev.meridian.protocol.cluster.PlacementCommand.Drain;
import dev.meridian.protocol.cluster.PlacementCommand.Move;
import dev.meridian.protocol.cluster.PlacementCommand.Place;
import dev.meridian.protocol.cluster.PlacementCommand.Undo;
import dev.meridian.protocol.cluster.PlacementCommand.Undrain;
import dev.meridian.protocol.cluster.PlacementCommand.Unplace;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.PlacementReply;
import java.util.Optional;

/** What a region's placement does with an operator's command: a reply, and the table that follows. Pure but for new ids. */
final class PlacementCommands {
    private final Situation now;

    /** The table is the one that was there where nothing changes. */
    record Decision(PlacementReply reply, PinTable table) {}

    PlacementCommands(Situation now) {
        this.now = now;
    }

    Decision decide(PlacementCommand command) {
        Optional<Change> earlier = now.table().changes().stream()
                .filter(change -> command.idempotencyKey() != null
                        && command.idempotencyKey().equals(change.idempotencyKey()))
                .findFirst();
        if (earlier.isPresent()) {
            return again(earlier.get(), command);
        }
        return switch (command) {
            case Move move -> MoveDecision.move(now, move, null);
            case Drain drain -> DrainDecision.drain(now, drain, null);
            case Undrain undrain -> DrainDecision.undrain(now, undrain);
            case Place place -> PlaceDecision.place(now, place);
            case Unplace unplace -> PlaceDecision.unplace(now, unplace);
            case Undo undo -> UndoDecision.undo(now, undo);
        };
    }

    private Decision again(Change earlier, PlacementCommand command) {
        return isSame(earlier, command)
                ? now.only(earlier)
                : now.refuse(
                        PlacementRefusal.IDEMPOTENCY_KEY_REUSED,
                        "that Idempotency-Key was used for " + earlier.id() + ", another change");
    }

    private static boolean isSame(Change earlier, PlacementCommand command) {
        return switch (command) {
            case Move move ->
                earlier.verb() == Verb.MOVE
                        && move.replica().equals(earlier.replica())
                        && move.to().equals(earlier.to());
            case Drain drain -> earlier.verb() == Verb.DRAIN && earlier.from().equals(drain.node());
            case Undrain undrain ->
                earlier.verb() == Verb.UNDRAIN && earlier.from().equals(undrain.node());
            case Place place ->
                earlier.verb() == Verb.PLACE
                        && place.wanted().equals(earlier.effect().wanted());
            case Unplace unplace ->
                earlier.verb() == Verb.UNPLACE
                        && unplace.model().equals(earlier.effect().model());
            case Undo undo ->
                Optional.ofNullable(earlier.effect().undoes())
                        .filter(undone -> undone.id().equals(undo.change()))
                        .isPresent();
        };
    }
}
