package dev.meridian.protocol.wire;

import com.esotericsoftware.kryo.Kryo;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The ids of everything that crosses the wire. An id is never used again, and what stands under it never changes once
 * it was released: a record with other fields gets a new id, and so does each record that holds it. Nodes that read a
 * new id ship before nodes that write it.
 */
final class WireTable {
    /** A message, the table in it, its changes, their effects, the pins in those, their replicas, and two to spare. */
    private static final int MAX_DEPTH = 8;

    record Row(int id, Layout<?> layout) {
        String manifest() {
            return Integer.toString(id);
        }
    }

    /** What Pekko hands over; the id is the manifest. */
    static final List<Row> MESSAGES = List.of(
            // ReplicaCommand: 100 to 109.
            new Row(100, MessageLayouts.SUBMIT),
            new Row(101, MessageLayouts.CANCEL),
            new Row(102, MessageLayouts.RESEND),
            // StreamEvent: 110 to 119.
            new Row(110, MessageLayouts.ACCEPTED),
            new Row(111, MessageLayouts.REFUSED),
            new Row(112, MessageLayouts.STEP_BATCH),
            new Row(113, MessageLayouts.ENTRIES_FORGOTTEN),
            new Row(114, MessageLayouts.HEARTBEAT),
            new Row(115, MessageLayouts.HAND_OVER),
            // NodeMessage: 120 to 129.
            new Row(120, NodeLayouts.NODE_STATUS),
            new Row(121, NodeLayouts.STATUS_SEEN),
            // PinMessage, and a table by itself, as Distributed Data holds it: 130 to 139.
            new Row(130, PlacementLayouts.NEWEST),
            new Row(131, PlacementLayouts.ASK),
            new Row(132, PlacementLayouts.PIN_TABLE),
            // PlacementCommand: 140 to 149.
            new Row(140, PlacementLayouts.MOVE),
            new Row(141, PlacementLayouts.DRAIN),
            new Row(142, PlacementLayouts.UNDRAIN),
            new Row(143, PlacementLayouts.PLACE),
            new Row(144, PlacementLayouts.UNPLACE),
            new Row(145, PlacementLayouts.UNDO),
            // PlacementReply: 150 to 159.
            new Row(150, PlacementLayouts.PLANNED),
            new Row(151, PlacementLayouts.NOT_PLANNED),
            // ResumeMessage: 160 to 169.
            new Row(160, ResumeLayouts.FOLLOW),
            new Row(161, ResumeLayouts.FOLLOWING),
            new Row(162, ResumeLayouts.NOT_KEPT),
            new Row(163, ResumeLayouts.NEXT),
            new Row(164, ResumeLayouts.PIECE));

    /** What messages hold. Kryo has 0 to 9 itself; ids below 128 take one byte. */
    static final List<Row> VALUES = List.of(
            // Where one type only can stand, its id is not written.
            new Row(20, RequestLayouts.ATTEMPT),
            new Row(21, RequestLayouts.CHAT_MESSAGE),
            new Row(22, RequestLayouts.SAMPLING),
            new Row(23, RequestLayouts.GENERATION),
            new Row(24, EntryLayouts.ENTRY),
            new Row(25, EntryLayouts.TOKEN_LOGPROB),
            new Row(26, EntryLayouts.TIMINGS),
            new Row(27, NodeLayouts.MODEL_INFO),
            new Row(28, NodeLayouts.REPLICA_ID),
            new Row(29, NodeLayouts.REPLICA_STATUS),
            new Row(30, PlacementLayouts.PIN),
            new Row(31, PlacementLayouts.CHANGE),
            new Row(32, PlacementLayouts.MODEL_PLACEMENT),
            new Row(33, PlacementLayouts.EFFECT),
            new Row(34, NodeLayouts.RESIDENCY),
            new Row(35, NodeLayouts.MODEL_DEMAND),
            new Row(36, PlacementLayouts.EVENT),
            // Prompt: 40 to 49.
            new Row(40, RequestLayouts.CHAT),
            new Row(41, RequestLayouts.TEXT),
            new Row(42, RequestLayouts.TOKENS),
            // Refusal: 50 to 69.
            new Row(50, RefusalLayouts.QUEUE_FULL),
            new Row(51, RefusalLayouts.PROMPT_TOO_LONG),
            new Row(52, RefusalLayouts.KV_BUDGET_EXCEEDED),
            new Row(53, RefusalLayouts.MODEL_UNKNOWN),
            new Row(54, RefusalLayouts.MODEL_NOT_READY),
            new Row(55, RefusalLayouts.INVALID_REQUEST),
            new Row(56, RefusalLayouts.TEMPLATE_FAILED),
            new Row(57, RefusalLayouts.DEADLINE_EXCEEDED),
            new Row(58, RefusalLayouts.DUPLICATE_ATTEMPT),
            new Row(59, RefusalLayouts.ENGINE_FAILED));

    private static final Map<Class<?>, String> MANIFESTS = MESSAGES.stream()
            .collect(Collectors.toUnmodifiableMap(row -> row.layout().type(), Row::manifest));
    private static final Map<String, Row> BY_MANIFEST =
            MESSAGES.stream().collect(Collectors.toUnmodifiableMap(Row::manifest, Function.identity()));

    private WireTable() {}

    /** Throws WireException for what is no message. */
    static String manifest(Object message) {
        String manifest = MANIFESTS.get(message.getClass());
        if (manifest == null) {
            throw new WireException(message.getClass().getName() + " is no message of the wire");
        }
        return manifest;
    }

    /** The message's class; null for a manifest that nobody has here. */
    static @Nullable Class<?> messageOf(String manifest) {
        Row row = BY_MANIFEST.get(manifest);
        return row == null ? null : row.layout().type();
    }

    /** A Kryo that knows these records and nothing else; for one thread at a time. */
    static Kryo newKryo() {
        Kryo kryo = new Kryo();
        kryo.setRegistrationRequired(true);
        kryo.setReferences(false); // Records are trees.
        kryo.setMaxDepth(MAX_DEPTH);
        Stream.concat(MESSAGES.stream(), VALUES.stream())
                .forEach(row -> kryo.register(row.layout().type(), row.layout(), row.id()));
        return kryo;
    }
}
