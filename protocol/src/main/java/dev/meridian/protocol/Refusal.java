package dev.meridian.protocol;

/** Why a request is not served, or a running one ended early. Each carries what its message to the client names. */
public sealed interface Refusal {
    /** The replica's queue holds {@code limit} sequences already. Try again later. */
    record QueueFull(int limit) implements Refusal {}

    /**
     * The prompt leaves no room for a single token.
     *
     * @param counted whether {@code promptTokens} is its length; else it has at least as many
     */
    record PromptTooLong(int promptTokens, boolean counted, int contextTokens) implements Refusal {}

    /** The sequence could never fit the replica's KV memory. */
    record KvBudgetExceeded(long neededBytes, long budgetBytes) implements Refusal {}

    record ModelUnknown(String model) implements Refusal {}

    /** The model is known and not loaded yet, or its replica is going away. */
    record ModelNotReady(String model) implements Refusal {}

    /** A value that only the model's host can judge, for example a token id outside the vocabulary. */
    record InvalidRequest(String parameter, String message) implements Refusal {}

    /** The chat template raised an error or passed a limit. {@code line} counts from 1; 0 is unknown. */
    record TemplateFailed(String message, int line) implements Refusal {}

    record DeadlineExceeded() implements Refusal {}

    /** This attempt, or a later one of the same request, was seen before. */
    record DuplicateAttempt() implements Refusal {}

    /** The engine stopped; {@code message} is for the operator's log, never for a client. */
    record EngineFailed(String message) implements Refusal {}
}
