package dev.meridian.protocol.wire;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinMessage;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementCommand.Drain;
import dev.meridian.protocol.cluster.PlacementCommand.Move;
import dev.meridian.protocol.cluster.PlacementCommand.Undrain;
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
                    readKey(in)));

    static final Layout<PinTable> PIN_TABLE = Layout.of(
            PinTable.class,
            (out, table) -> {
                out.writeText("region", Caps.LABEL, table.region());
                out.writeNumber(table.generation());
                out.writeList("pins", Caps.PINS, table.pins(), out::writeRecord);
                out.writeList(
                        "draining", Caps.NODES, table.draining(), node -> out.writeText("node", Caps.LABEL, node));
                out.writeList("changes", PinTable.MAX_CHANGES, table.changes(), out::writeRecord);
            },
            in -> new PinTable(
                    in.readText("region", Caps.LABEL),
                    in.readLongNumber(),
                    in.readList("pins", Caps.PINS, () -> in.readRecord(Pin.class)),
                    in.readList("draining", Caps.NODES, () -> in.readText("node", Caps.LABEL)),
                    in.readList("changes", PinTable.MAX_CHANGES, () -> in.readRecord(Change.class))));

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
