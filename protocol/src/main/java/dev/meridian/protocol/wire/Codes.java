package dev.meridian.protocol.wire;

import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Role;
import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.PlacementRefusal;
import dev.meridian.protocol.cluster.ReplicaState;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The numbers of an enum's constants on the wire, one byte each. A number is never given to another constant; a new
 * constant gets a new one, and readers that know it ship first.
 */
final class Codes<E extends Enum<E>> {
    static final Codes<Role> ROLES =
            new Codes<>(Role.class, Map.of(Role.SYSTEM, 1, Role.DEVELOPER, 2, Role.USER, 3, Role.ASSISTANT, 4));
    static final Codes<Priority> PRIORITIES =
            new Codes<>(Priority.class, Map.of(Priority.PRIORITY, 1, Priority.STANDARD, 2, Priority.FLEX, 3));
    static final Codes<FinishReason> FINISH_REASONS =
            new Codes<>(FinishReason.class, Map.of(FinishReason.STOP, 1, FinishReason.LENGTH, 2));
    static final Codes<ReplicaState> REPLICA_STATES = new Codes<>(
            ReplicaState.class,
            Map.of(
                    ReplicaState.LOADING, 1,
                    ReplicaState.READY, 2,
                    ReplicaState.DRAINING, 3,
                    ReplicaState.FAILED, 4,
                    ReplicaState.STANDBY, 5));
    static final Codes<Change.Verb> VERBS = new Codes<>(
            Change.Verb.class,
            Map.of(
                    Change.Verb.MOVE, 1,
                    Change.Verb.DRAIN, 2,
                    Change.Verb.UNDRAIN, 3,
                    Change.Verb.PLACE, 4,
                    Change.Verb.UNPLACE, 5,
                    Change.Verb.UNDO, 6));
    static final Codes<Change.State> CHANGE_STATES = new Codes<>(
            Change.State.class,
            Map.of(
                    Change.State.PLANNED, 1,
                    Change.State.RUNNING, 2,
                    Change.State.DONE, 3,
                    Change.State.FAILED, 4,
                    Change.State.UNDONE, 5));
    static final Codes<PlacementEvent.Kind> EVENT_KINDS = new Codes<>(
            PlacementEvent.Kind.class,
            Map.of(
                    PlacementEvent.Kind.PLACED, 1,
                    PlacementEvent.Kind.MOVING, 2,
                    PlacementEvent.Kind.MOVED, 3,
                    PlacementEvent.Kind.STAYED, 4,
                    PlacementEvent.Kind.REMOVED, 5,
                    PlacementEvent.Kind.CHANGE, 6));
    static final Codes<PlacementRefusal> PLACEMENT_REFUSALS = new Codes<>(
            PlacementRefusal.class,
            Map.ofEntries(
                    Map.entry(PlacementRefusal.REPLICA_UNKNOWN, 1),
                    Map.entry(PlacementRefusal.NODE_UNKNOWN, 2),
                    Map.entry(PlacementRefusal.SAME_NODE, 3),
                    Map.entry(PlacementRefusal.OTHER_REGION, 4),
                    Map.entry(PlacementRefusal.BUNDLE_MISSING, 5),
                    Map.entry(PlacementRefusal.ALREADY_THERE, 6),
                    Map.entry(PlacementRefusal.OVER_BUDGET, 7),
                    Map.entry(PlacementRefusal.NODE_DRAINING, 8),
                    Map.entry(PlacementRefusal.NODE_NOT_READY, 9),
                    Map.entry(PlacementRefusal.STALE_GENERATION, 10),
                    Map.entry(PlacementRefusal.CHANGE_RUNNING, 11),
                    Map.entry(PlacementRefusal.IDEMPOTENCY_KEY_REUSED, 12),
                    Map.entry(PlacementRefusal.NO_ROOM, 13),
                    Map.entry(PlacementRefusal.REGION_UNKNOWN, 14),
                    Map.entry(PlacementRefusal.MODEL_UNKNOWN, 15),
                    Map.entry(PlacementRefusal.CHANGE_UNKNOWN, 16),
                    Map.entry(PlacementRefusal.TOO_FEW_NODES, 17),
                    Map.entry(PlacementRefusal.NODE_EXCLUDED, 18),
                    Map.entry(PlacementRefusal.LAST_REPLICA, 19),
                    Map.entry(PlacementRefusal.UNDO_OF_UNDO, 20),
                    Map.entry(PlacementRefusal.ALREADY_UNDONE, 21),
                    Map.entry(PlacementRefusal.CHANGE_FAILED, 22),
                    Map.entry(PlacementRefusal.NOTHING_TO_UNDO, 23),
                    Map.entry(PlacementRefusal.SUPERSEDED, 24),
                    Map.entry(PlacementRefusal.RESIDENCY_FORBIDS, 25)));

    private final String what;
    private final Map<E, Integer> codes;
    private final Map<Integer, E> constants = new HashMap<>();

    private Codes(Class<E> type, Map<E, Integer> codes) {
        this.what = type.getSimpleName();
        this.codes = new EnumMap<>(codes);
        codes.forEach((constant, code) -> constants.put(code, constant));
        if (constants.size() != type.getEnumConstants().length) {
            throw new IllegalStateException("every " + what + " needs a code of its own");
        }
    }

    int code(E constant) {
        return Objects.requireNonNull(codes.get(constant));
    }

    void write(WireOutput out, E constant) {
        out.writeByte(code(constant));
    }

    E read(WireInput in) {
        int code = in.readByte();
        E constant = constants.get(code);
        if (constant == null) {
            throw new WireException("no " + what + " has the code " + code);
        }
        return constant;
    }
}
