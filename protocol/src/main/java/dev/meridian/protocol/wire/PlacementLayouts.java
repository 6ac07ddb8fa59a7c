package dev.meridian.protocol.wire;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand.Drain;
import dev.meridian.protocol.cluster.PlacementCommand.Move;
import dev.meridian.protocol.cluster.PlacementCommand.Place;
import dev.meridian.protocol.cluster.PlacementCommand.Undo;
import dev.meridian.protocol.cluster.PlacementCommand.Undrain;
import dev.meridian.protocol.cluster.PlacementCommand.Unplace;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.PlacementReply;
import dev.meridian.protocol.cluster.ReplicaId;
import org.jspecify.annotations.Nullable;

/** What a region has decided, and what operators ask of it. */
final class PlacementLayouts {
    static final Layout<Pin> PIN = Layout.of(
            Pin.class,
            (out, pin) -> {
                out.writeRecord(pin.replica());
                out.writeText("node", Caps.LABEL, pin.node());
                out.writeNumber(pin.generation());
                writeLabel(out, "next", pin.next());
            },
            in -> new Pin(
                    in.readRecord(ReplicaId.class),
                    in.readText("node", Caps.LABEL),
                    in.readLongNumber(),
                    readLabel(in, "next")));

    static final Layout<ModelPlacement> MODEL_PLACEMENT = Layout.of(
            ModelPlacement.class,
            (out, placement) -> {
                out.writeText("model", Caps.NAME, placement.model());
                out.writeNumber(placement.replicas());
                out.writeList("nodes", Caps.NODES, placement.nodes(), node -> out.writeText("node", Caps.LABEL, node));
            },
            in -> new ModelPlacement(
                    in.readText("model", Caps.NAME),
                    in.readNumber(),
                    in.readList("nodes", Caps.NODES, () -> in.readText("node", Caps.LABEL))));

    static final Layout<Effect> EFFECT = Layout.of(
            Effect.class,
            (out, effect) -> {
                out.writeNumber(effect.bytesToLoad());
                out.writeNumber(effect.estimateMillis());
                out.writeBoolean(effect.idle());
                out.writeNullable(effect.model(), model -> out.writeText("model", Caps.NAME, model));
                out.writeNullable(effect.wanted(), out::writeRecord);
                out.writeNullable(effect.before(), out::writeRecord);
                out.writeList("pins", Effect.MAX_PINS, effect.pins(), out::writeRecord);
                out.writeNullable(effect.undoes(), undone -> {
                    out.writeText("undoes", Caps.LABEL, undone.id());
                    Codes.VERBS.write(out, undone.verb());
                });
            },
            in -> new Effect(
                    in.readLongNumber(),
                    in.readLongNumber(),
                    in.readFlag("idle"),
                    in.readNullable("model", () -> in.readText("model", Caps.NAME)),
                    in.readNullable("wanted", () -> in.readRecord(ModelPlacement.class)),
                    in.readNullable("before", () -> in.readRecord(ModelPlacement.class)),
                    in.readList("pins", Effect.MAX_PINS, () -> in.readRecord(Pin.class)),
                    in.readNullable(
                            "undoes", () -> new Undone(in.readText("undoes", Caps.LABEL), Codes.VERBS.read(in)))));

    static final Layout<Change> CHANGE = Layout.of(
            Change.class,
            (out, change) -> {
                out.writeText("id", Caps.LABEL, change.id());
                Codes.VERBS.write(out, change.verb());
                out.writeText("by", Caps.NAME, change.by());
                out.writeNullable(change.replica(), out::writeRecord);
                out.writeText("from", Caps.LABEL, change.from());
                writeLabel(out, "to", change.to());
                out.writeList("plan", Caps.PLAN, change.plan(), step -> out.writeText("step", Caps.STEP, step));
                Codes.CHANGE_STATES.write(out, change.state());
                out.writeText("progress", Caps.STEP, change.progress());
                out.writeNumber(change.generation());
                out.writeNumber(change.startedEpochMillis());
                out.writeNumber(change.changedEpochMillis());
                writeKey(out, change.idempotencyKey());
                out.writeRecord(change.effect());
            },
            in -> new Change(
                    in.readText("id", Caps.LABEL),
                    Codes.VERBS.read(in),
                    in.readText("by", Caps.NAME),
                    in.readNullable("replica", () -> in.readRecord(ReplicaId.class)),
                    in.readText("from", Caps.LABEL),
                    readLabel(in, "to"),
                    in.readList("plan", Caps.PLAN, () -> in.readText("step", Caps.STEP)),
                    Codes.CHANGE_STATES.read(in),
                    in.readText("progress", Caps.STEP),
                    in.readLongNumber(),
                    in.readLongNumber(),
                    in.readLongNumber(),
                    readKey(in),
                    in.readRecord(Effect.class)));

    static final Layout<PlacementEvent> EVENT = Layout.of(
            PlacementEvent.class,
            (out, event) -> {
                out.writeNumber(event.generation());
                out.writeNumber(event.index());
                out.writeNumber(event.atEpochMillis());
                Codes.EVENT_KINDS.write(out, event.kind());
                out.writeText("by", Caps.NAME, event.by());
                out.writeText("model", Caps.NAME, event.model());
                out.writeNullable(event.replica(), out::writeRecord);
                writeLabel(out, "node", event.node());
                writeLabel(out, "from", event.from());
                out.writeText("reason", Caps.EVENT_REASON, event.reason());
            },
            in -> new PlacementEvent(
                    in.readLongNumber(),
                    in.readNumber(),
                    in.readLongNumber(),
                    Codes.EVENT_KINDS.read(in),
                    in.readText("by", Caps.NAME),
                    in.readText("model", Caps.NAME),
                    in.readNullable("replica", () -> in.readRecord(ReplicaId.class)),
                    readLabel(in, "node"),
                    readLabel(in, "from"),
                    in.readText("reason", Caps.EVENT_REASON)));

    static final Layout<PinTable> PIN_TABLE = Layout.of(
            PinTable.class,
            (out, table) -> {
                out.writeText("region", Caps.LABEL, table.region());
                out.writeNumber(table.generation());
                out.writeList("pins", Caps.PINS, table.pins(), out::writeRecord);
                out.writeList(
                        "draining", Caps.NODES, table.draining(), node -> out.writeText("node", Caps.LABEL, node));
                out.writeList("placements", PinTable.MAX_PLACEMENTS, table.placements(), out::writeRecord);
                out.writeList("changes", PinTable.MAX_CHANGES, table.changes(), out::writeRecord);
                out.writeList("events", PinTable.MAX_EVENTS, table.events(), out::writeRecord);
            },
            in -> new PinTable(
                    in.readText("region", Caps.LABEL),
                    in.readLongNumber(),
                    in.readList("pins", Caps.PINS, () -> in.readRecord(Pin.class)),
                    in.readList("draining", Caps.NODES, () -> in.readText("node", Caps.LABEL)),
                    in.readList("placements", PinTable.MAX_PLACEMENTS, () -> in.readRecord(ModelPlacement.class)),
                    in.readList("changes", PinTable.MAX_CHANGES, () -> in.readRecord(Change.class)),
                    in.readList("events", PinTable.MAX_EVENTS, () -> in.readRecord(PlacementEvent.class))));

    static final Layout<PinMessage.Newest> NEWEST = Layout.of(
            PinMessage.Newest.class,
            (out, newest) -> out.writeRecord(newest.table()),
            in -> new PinMessage.Newest(in.readRecord(PinTable.class)));

    static final Layout<PinMessage.Ask> ASK = Layout.of(
            PinMessage.Ask.class,
            (out, ask) -> out.writeRef("replyTo", ask.replyTo()),
            in -> new PinMessage.Ask(in.readRef("replyTo")));

    static final Layout<Move> MOVE = Layout.of(
            Move.class,
            (out, move) -> {
                out.writeRecord(move.replica());
                out.writeText("to", Caps.LABEL, move.to());
                out.writeBoolean(move.dryRun());
                out.writeText("by", Caps.NAME, move.by());
                out.writeNumber(move.generation());
                writeKey(out, move.idempotencyKey());
                out.writeRef("replyTo", move.replyTo());
            },
            in -> new Move(
                    in.readRecord(ReplicaId.class),
                    in.readText("to", Caps.LABEL),
                    in.readFlag("dryRun"),
                    in.readText("by", Caps.NAME),
                    in.readLongNumber(),
                    readKey(in),
                    in.readRef("replyTo")));

    static final Layout<Drain> DRAIN = Layout.of(
            Drain.class,
            (out, drain) -> {
                out.writeText("node", Caps.LABEL, drain.node());
                out.writeBoolean(drain.dryRun());
                out.writeText("by", Caps.NAME, drain.by());
                writeKey(out, drain.idempotencyKey());
                out.writeRef("replyTo", drain.replyTo());
            },
            in -> new Drain(
                    in.readText("node", Caps.LABEL),
                    in.readFlag("dryRun"),
                    in.readText("by", Caps.NAME),
                    readKey(in),
                    in.readRef("replyTo")));

    static final Layout<Undrain> UNDRAIN = Layout.of(
            Undrain.class,
            (out, undrain) -> {
                out.writeText("node", Caps.LABEL, undrain.node());
                out.writeBoolean(undrain.dryRun());
                out.writeText("by", Caps.NAME, undrain.by());
                writeKey(out, undrain.idempotencyKey());
                out.writeRef("replyTo", undrain.replyTo());
            },
            in -> new Undrain(
                    in.readText("node", Caps.LABEL),
                    in.readFlag("dryRun"),
                    in.readText("by", Caps.NAME),
                    readKey(in),
                    in.readRef("replyTo")));

    static final Layout<Place> PLACE = Layout.of(
            Place.class,
            (out, place) -> {
                out.writeRecord(place.wanted());
                out.writeBoolean(place.dryRun());
                out.writeText("by", Caps.NAME, place.by());
                writeKey(out, place.idempotencyKey());
                out.writeRef("replyTo", place.replyTo());
            },
            in -> new Place(
                    in.readRecord(ModelPlacement.class),
                    in.readFlag("dryRun"),
                    in.readText("by", Caps.NAME),
                    readKey(in),
                    in.readRef("replyTo")));

    static final Layout<Unplace> UNPLACE = Layout.of(
            Unplace.class,
            (out, unplace) -> {
                out.writeText("model", Caps.NAME, unplace.model());
                out.writeBoolean(unplace.dryRun());
                out.writeBoolean(unplace.force());
                out.writeText("by", Caps.NAME, unplace.by());
                writeKey(out, unplace.idempotencyKey());
                out.writeRef("replyTo", unplace.replyTo());
            },
            in -> new Unplace(
                    in.readText("model", Caps.NAME),
                    in.readFlag("dryRun"),
                    in.readFlag("force"),
                    in.readText("by", Caps.NAME),
                    readKey(in),
                    in.readRef("replyTo")));

    static final Layout<Undo> UNDO = Layout.of(
            Undo.class,
            (out, undo) -> {
                out.writeText("change", Caps.LABEL, undo.change());
                out.writeBoolean(undo.dryRun());
                out.writeText("by", Caps.NAME, undo.by());
                writeKey(out, undo.idempotencyKey());
                out.writeRef("replyTo", undo.replyTo());
            },
            in -> new Undo(
                    in.readText("change", Caps.LABEL),
                    in.readFlag("dryRun"),
                    in.readText("by", Caps.NAME),
                    readKey(in),
                    in.readRef("replyTo")));

    static final Layout<PlacementReply.Planned> PLANNED = Layout.of(
            PlacementReply.Planned.class,
            (out, planned) -> out.writeRecord(planned.change()),
            in -> new PlacementReply.Planned(in.readRecord(Change.class)));

    static final Layout<PlacementReply.Refused> NOT_PLANNED = Layout.of(
            PlacementReply.Refused.class,
            (out, refused) -> {
                Codes.PLACEMENT_REFUSALS.write(out, refused.reason());
                out.writeText("message", Caps.REASON, refused.message());
            },
            in -> new PlacementReply.Refused(Codes.PLACEMENT_REFUSALS.read(in), in.readText("message", Caps.REASON)));

    private PlacementLayouts() {}

    private static void writeLabel(WireOutput out, String what, @Nullable String label) {
        out.writeNullable(label, text -> out.writeText(what, Caps.LABEL, text));
    }

    private static @Nullable String readLabel(WireInput in, String what) {
        return in.readNullable(what, () -> in.readText(what, Caps.LABEL));
    }

    private static void writeKey(WireOutput out, @Nullable String key) {
        out.writeNullable(key, text -> out.writeText("idempotencyKey", Caps.NAME, text));
    }

    private static @Nullable String readKey(WireInput in) {
        return in.readNullable("idempotencyKey", () -> in.readText("idempotencyKey", Caps.NAME));
    }
}
