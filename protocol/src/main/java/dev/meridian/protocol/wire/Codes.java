package dev.meridian.protocol.wire;

import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Priority;
import dev.meridian.protocol.Role;
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
                    ReplicaState.FAILED, 4));

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
