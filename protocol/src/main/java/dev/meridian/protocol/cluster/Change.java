package dev.meridian.protocol.cluster;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What an operator asked of a region's placement, and how far it is.
 *
 * @param id unique in the cluster
 * @param verb what was asked
 * @param by who asked: the name of a key, or {@code loopback}
 * @param replica what moves; null of a drain and an undrain
 * @param from the node that holds it, or that is drained
 * @param to the node that is to hold it; null of a drain and an undrain
 * @param plan what happens, step by step, for a person to read
 * @param progress what it waits for now, or why it failed
 * @param generation of the table that was first written for it
 * @param startedEpochMillis when it was asked
 * @param changedEpochMillis when its state or progress last changed
 * @param idempotencyKey given by who asked, so that asking again starts nothing new; null where none was
 */
public record Change(
        String id,
        Verb verb,
        String by,
        @Nullable ReplicaId replica,
        String from,
        @Nullable String to,
        List<String> plan,
        State state,
        String progress,
        long generation,
        long startedEpochMillis,
        long changedEpochMillis,
        @Nullable String idempotencyKey) {
    public Change {
        plan = List.copyOf(plan);
    }

    /** What was asked. */
    public enum Verb {
        MOVE,
        DRAIN,
        UNDRAIN;

        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How far a change is. */
    public enum State {
        PLANNED,
        RUNNING,
        /** The new replica serves and the old one is unloaded. */
        DONE,
        /** It cannot be done; what it had begun was taken back as far as possible. */
        FAILED,
        /** Taken back. */
        UNDONE;

        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }

        public boolean isOver() {
            return this == DONE || this == FAILED || this == UNDONE;
        }
    }

    public Change with(State newState, String newProgress, long nowEpochMillis) {
        return new Change(
                id,
                verb,
                by,
                replica,
                from,
                to,
                plan,
                newState,
                newProgress,
                generation,
                startedEpochMillis,
                nowEpochMillis,
                idempotencyKey);
    }
}
