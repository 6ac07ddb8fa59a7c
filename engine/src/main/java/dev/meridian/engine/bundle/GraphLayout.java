package dev.meridian.engine.bundle;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a ready-made decoder graph names what it takes and what it gives. Every run takes a sequence's whole past and gives
 * past and new positions together, in other memory. Hugging Face's exports and onnxruntime-genai's are of this kind.
 *
 * @param kind {@value #PAST_PRESENT}, the only one there is besides Meridian's own layout, which has no such entry
 * @param inputIds token ids, {@code [1, S]}
 * @param attentionMask ones for past and new positions, {@code [1, P + S]}; null where the graph takes none
 * @param positionIds positions of the new tokens, {@code [1, S]}; null where the graph takes none
 * @param logits {@code [1, S, vocabulary]}, or {@code [1, 1, vocabulary]} where the graph gives the last row alone
 * @param past the caches that go in, in layer order: {@code [1, kvHeads, P, headDim]} each, keys and values apart, or
 *     {@code [2, 1, kvHeads, P, headDim]} with both
 * @param present the caches that come out, in the order of {@code past}
 */
public record GraphLayout(
        String kind,
        String inputIds,
        @Nullable String attentionMask,
        @Nullable String positionIds,
        String logits,
        List<String> past,
        List<String> present) {
    public static final String PAST_PRESENT = "past-present";

    /** Dimensions of a cache that holds keys and values; one of either alone has one less. */
    public static final int COMBINED_DIMS = 5;

    public GraphLayout {
        if (!PAST_PRESENT.equals(kind)) {
            throw new IllegalArgumentException("kind is " + kind + ", this version knows " + PAST_PRESENT);
        }
        if (past == null || present == null || past.isEmpty() || past.size() != present.size()) {
            throw new IllegalArgumentException(
                    "past and present are not lists of the same length, of at least one name");
        }
        past = List.copyOf(past);
        present = List.copyOf(present);
        requireDistinct("inputs", inputNames(inputIds, attentionMask, positionIds, past));
        List<String> outputs = new ArrayList<>(present);
        outputs.add(logits);
        requireDistinct("outputs", outputs);
    }

    /** Names of all inputs that the graph must have, and no others. */
    public Set<String> inputs() {
        return new HashSet<>(inputNames(inputIds, attentionMask, positionIds, past));
    }

    private static List<String> inputNames(
            String inputIds, @Nullable String attentionMask, @Nullable String positionIds, List<String> past) {
        List<String> names = new ArrayList<>(past);
        names.add(inputIds);
        if (attentionMask != null) {
            names.add(attentionMask);
        }
        if (positionIds != null) {
            names.add(positionIds);
        }
        return names;
    }

    private static void requireDistinct(String what, List<? extends @Nullable String> names) {
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            if (name == null || name.isBlank()) {
                throw new IllegalArgumentException(what + ": a name is missing");
            }
            if (!seen.add(name)) {
                throw new IllegalArgumentException(what + ": " + name + " is named twice");
            }
        }
    }
}
