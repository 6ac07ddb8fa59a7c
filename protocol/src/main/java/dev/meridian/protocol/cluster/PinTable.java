package dev.meridian.protocol.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * All that a region's placement has decided. Written by that region's placement alone, each time with the next generation;
 * of two tables of a region the one with the higher generation is right.
 *
 * @param pins by replica, in order
 * @param draining nodes that an operator empties
 * @param placements what operators have said of models, one for each; at most {@value #MAX_PLACEMENTS}
 * @param changes the newest ones, oldest first; at most {@value #MAX_CHANGES}
 * @param events the newest ones, oldest first; at most {@value #MAX_EVENTS}
 */
public record PinTable(
        String region,
        long generation,
        List<Pin> pins,
        List<String> draining,
        List<ModelPlacement> placements,
        List<Change> changes,
        List<PlacementEvent> events) {
    public static final int MAX_CHANGES = 200;
    public static final int MAX_PLACEMENTS = 1024;
    public static final int MAX_EVENTS = 200;

    public PinTable {
        pins = List.copyOf(pins);
        draining = List.copyOf(draining);
        placements = List.copyOf(Objects.requireNonNullElse(placements, List.of())); // Older tables on disks have none.
        changes = List.copyOf(changes);
        events = List.copyOf(Objects.requireNonNullElse(events, List.of()));
    }

    /** Nothing was decided yet. */
    public static PinTable empty(String region) {
        return new PinTable(region, 0, List.of(), List.of(), List.of(), List.of(), List.of());
    }

    public Optional<Pin> pin(ReplicaId replica) {
        return pins.stream().filter(pin -> pin.replica().equals(replica)).findFirst();
    }

    public Optional<Change> change(String id) {
        return changes.stream().filter(change -> change.id().equals(id)).findFirst();
    }

    public Optional<ModelPlacement> placement(String model) {
        return placements.stream().filter(one -> one.model().equals(model)).findFirst();
    }

    public PinTable withGeneration(long newGeneration) {
        return new PinTable(region, newGeneration, pins, draining, placements, changes, events);
    }

    public PinTable withPins(List<Pin> newPins) {
        return new PinTable(region, generation, newPins, draining, placements, changes, events);
    }

    public PinTable withDraining(List<String> newDraining) {
        return new PinTable(region, generation, pins, newDraining, placements, changes, events);
    }

    public PinTable withChanges(List<Change> newChanges) {
        return new PinTable(region, generation, pins, draining, placements, newChanges, events);
    }

    public PinTable withEvents(List<PlacementEvent> newEvents) {
        return new PinTable(region, generation, pins, draining, placements, changes, newEvents);
    }

    /** With that placement of a model in place of the one before; with none where it is null. */
    public PinTable withPlacement(String model, @Nullable ModelPlacement placement) {
        List<ModelPlacement> next = new ArrayList<>(placements);
        next.removeIf(one -> one.model().equals(model));
        if (placement != null) {
            next.add(placement);
        }
        return new PinTable(region, generation, pins, draining, next, changes, events);
    }
}
