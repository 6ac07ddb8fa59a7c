package dev.meridian.bench;

import dev.meridian.engine.Fairness;
import dev.meridian.protocol.Generation;
import java.util.Collections;
import java.util.List;

/**
 * What {@code bench engine} measures.
 *
 * @param sequences batch sizes to decode with
 * @param promptTokens length of the prompt whose prefill is measured
 * @param decodeContext filled positions of a sequence when its decoding begins
 * @param decodeTokens tokens that each sequence decodes while it is measured
 * @param chunk prompt tokens of one forward pass
 * @param rounds how often each is measured
 */
record EnginePlan(
        List<Integer> sequences, int promptTokens, int decodeContext, int decodeTokens, int chunk, int rounds) {
    /** Full chunks always, as the bare loop runs them, so that sequences come together in the fewest steps. */
    static final Fairness FAIRNESS = Fairness.unpaced();

    /** Filled positions when decoding begins, where the model's context has room for them. */
    static final int DECODE_CONTEXT = 128;

    /** The step in which a sequence's last prompt token gives its first own, and one that may run before the cancel. */
    private static final int SPARE_TOKENS = 2;

    EnginePlan {
        sequences = List.copyOf(sequences);
        if (sequences.isEmpty()) {
            throw new IllegalArgumentException("--sequences: at least one number is needed");
        }
        requirePositive("--sequences", Collections.min(sequences));
        if (Collections.max(sequences) > Generation.MAX_CHOICES) {
            throw new IllegalArgumentException(
                    "--sequences " + Collections.max(sequences) + ": expected at most " + Generation.MAX_CHOICES);
        }
        requirePositive("--prompt", promptTokens);
        requirePositive("--tokens", decodeTokens);
        requirePositive("--chunk", chunk);
        requirePositive("--rounds", rounds);
    }

    /**
     * Fits a plan into a model's context.
     *
     * @throws IllegalArgumentException naming the option that does not work
     */
    static EnginePlan within(
            int modelContext, List<Integer> sequences, int promptTokens, int decodeTokens, int chunk, int rounds) {
        EnginePlan plan = new EnginePlan(sequences, promptTokens, DECODE_CONTEXT, decodeTokens, chunk, rounds);
        if (promptTokens >= modelContext) {
            throw new IllegalArgumentException("--prompt " + promptTokens + ": the model's context of " + modelContext
                    + " tokens takes a prompt of at most " + (modelContext - 1));
        }
        while (plan.decodeNeeds() > modelContext) {
            if (plan.decodeContext == 1) {
                throw new IllegalArgumentException("--tokens " + decodeTokens + " with " + plan.mostSequences()
                        + " sequences needs a context of at least " + plan.decodeNeeds()
                        + " tokens, and the model's is "
                        + modelContext + "; lower --tokens or --sequences");
            }
            plan = new EnginePlan(sequences, promptTokens, plan.decodeContext - 1, decodeTokens, chunk, rounds);
        }
        return plan;
    }

    int mostSequences() {
        return Collections.max(sequences);
    }

    /** Positions that the longest sequence of any measurement fills. */
    int contextTokens() {
        return (int) Math.max(promptTokens + 1L, decodeNeeds());
    }

    /**
     * A sequence decodes on while the prompts of those behind it run, a step for each chunk, and only then are all of them
     * measured together.
     */
    private long decodeNeeds() {
        long stepsOfAllPrompts = (long) mostSequences() * Math.ceilDiv(decodeContext, chunk);
        return decodeContext + stepsOfAllPrompts + decodeTokens + SPARE_TOKENS;
    }

    private static void requirePositive(String option, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(option + " " + value + ": expected at least 1");
        }
    }
}
