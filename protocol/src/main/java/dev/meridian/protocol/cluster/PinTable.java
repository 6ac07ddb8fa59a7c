package dev.meridian.protocol.cluster;

import java.util.List;
import java.util.Optional;

/**
 * All that a region's placement has decided. Written by that region's placement alone, each time with the next generation;
 * of two tables of a region the one with the higher generation is right.
 *
 * @param pins by replica, in order
 * @param draining nodes that an operator empties
 * @param changes the newest ones, oldest first; at most {@value #MAX_CHANGES}
 */
public record PinTable(String region, long generation, List<Pin> pins, List<String> draining, List<Change> changes) {
    public static final int MAX_CHANGES = 200;

    public PinTable {
        pins = List.copyOf(pins);
        draining = List.copyOf(draining);
        changes = List.copyOf(changes);
    }

    /** Nothing was decided yet. */
    public static PinTable empty(String region) {
        return new PinTable(region, 0, List.of(), List.of(), List.of());
    }

    public Optional<Pin> pin(ReplicaId replica) {
        return pins.stream().filter(pin -> pin.replica().equals(replica)).findFirst();
    }

    public Optional<Change> change(String id) {
        return changes.stream().filter(change -> change.id().equals(id)).findFirst();
    }
}
