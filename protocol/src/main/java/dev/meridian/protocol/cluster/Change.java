package dev.meridian.protocol.cluster;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an operator asked of a region's placement, and how far it is.
 *
 * @param id unique in the cluster
 * @param verb what was asked
 * @param by who asked: the name of a key, or {@code loopback}
 * @param replica what moves; null of verbs that are about a node or a model
 * @param from the node that holds it, or that is drained or undrained; empty of verbs that are about a model
 * @param to the node that is to hold it; null of verbs that are about a node or a model
 * @param plan what happens, step by step, for a person to read
 * @param progress what it waits for now, or why it failed
 * @param generation of the table that was first written for it
 * @param startedEpochMillis when it was asked
 * @param changedEpochMillis when its state or progress last changed
 * @param idempotencyKey given by who asked, so that asking again starts nothing new; null where none was
 * @param effect what it costs, and what is needed to undo it
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
        @Nullable String idempotencyKey,
        Effect effect) {
    public Change {
        plan = List.copyOf(plan);
        effect = Objects.requireNonNullElse(effect, Effect.NONE); // Older tables on disks have none.
    }

    /**
     * What a change costs, and what is needed to undo it.
     *
     * @param bytesToLoad of all replicas that it loads together
     * @param estimateMillis how long these loads take; {@value #UNKNOWN} where nobody knows
     * @param idle whether all was so before, so that there is nothing to undo
     * @param model that it places, or places no more; null of other changes
     * @param wanted the model's placement that it sets; null for none
     * @param before the model's placement that it replaces; null where there was none
     * @param pins of a drain: those that it moved away, as it put them; of a change of a model's placement: its pins before.
     *     Of an undo: the pins that it brings back, as they were. At most {@value #MAX_PINS}
     * @param undoes null but of an undo
     */
    public record Effect(
            long bytesToLoad,
            long estimateMillis,
            boolean idle,
            @Nullable String model,
            @Nullable ModelPlacement wanted,
            @Nullable ModelPlacement before,
            List<Pin> pins,
            @Nullable Undone undoes) {
        /** As many as a node can hold. */
        public static final int MAX_PINS = 1024;

        /** Of a time that nobody can tell. */
        public static final long UNKNOWN = -1;

        public static final Effect NONE = new Effect(0, 0, false, null, null, null, List.of(), null);

        public Effect {
            pins = List.copyOf(pins);
        }

        /** Of a change that loads so much and leaves nothing else to remember. */
        public static Effect loading(long bytes, long estimateMillis) {
            return new Effect(bytes, estimateMillis, false, null, null, null, List.of(), null);
        }

        /** With the first {@value #MAX_PINS} of these. */
        public Effect withPins(List<Pin> newPins) {
            return new Effect(
                    bytesToLoad,
                    estimateMillis,
                    idle,
                    model,
                    wanted,
                    before,
                    newPins.subList(0, Math.min(newPins.size(), MAX_PINS)),
                    undoes);
        }

        public Effect undoing(@Nullable Undone change) {
            return new Effect(bytesToLoad, estimateMillis, idle, model, wanted, before, pins, change);
        }
    }

    /** The change that an undo undoes. */
    public record Undone(String id, Verb verb) {}

    /** What was asked. */
    public enum Verb {
        MOVE,
        DRAIN,
        UNDRAIN,
        /** Say how many replicas of a model a region holds. */
        PLACE,
        /** Hold nothing of a model. */
        UNPLACE,
        /** Restore what was before another change. */
        UNDO;

        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How far a change is. */
    public enum State {
        PLANNED,
        RUNNING,
        /** What was asked is so: a new replica serves, and what is not wanted any more is unloaded. */
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
                idempotencyKey,
                effect);
    }

    public Change withEffect(Effect newEffect) {
        return new Change(
                id,
                verb,
                by,
                replica,
                from,
                to,
                plan,
                state,
                progress,
                generation,
                startedEpochMillis,
                changedEpochMillis,
                idempotencyKey,
                newEffect);
    }

    /** What it does: of an undo the opposite of this. */
    public Verb kind() {
        return effect.undoes() == null ? verb : effect.undoes().verb();
    }

    /** Whether it empties a node: a drain, or the undo of an undrain. */
    public boolean empties(String node) {
        return from.equals(node) && (verb == Verb.DRAIN || (verb == Verb.UNDO && kind() == Verb.UNDRAIN));
    }

    /** Whether it is about a model's placement, or moves a replica of it. */
    public boolean isAbout(String model) {
        return model.equals(effect.model())
                || (replica != null && replica.model().equals(model));
    }
}
