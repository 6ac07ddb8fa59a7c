package dev.meridian.node;

import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Refusal.DeadlineExceeded;
import dev.meridian.protocol.Refusal.DuplicateAttempt;
import dev.meridian.protocol.Refusal.EngineFailed;
import dev.meridian.protocol.Refusal.InvalidRequest;
import dev.meridian.protocol.Refusal.KvBudgetExceeded;
import dev.meridian.protocol.Refusal.ModelNotReady;
import dev.meridian.protocol.Refusal.ModelUnknown;
import dev.meridian.protocol.Refusal.PromptTooLong;
import dev.meridian.protocol.Refusal.QueueFull;
import dev.meridian.protocol.Refusal.TemplateFailed;

/** Refusals as sentences, for whoever talks with a model in the terminal. */
final class Refusals {
    private Refusals() {}

    static String sentence(Refusal refusal) {
        return switch (refusal) {
            case QueueFull(int limit) -> "The model's queue of " + limit + " is full; ask again.";
            case PromptTooLong(int _, boolean _, int contextTokens) ->
                "The talk no longer fits into the model's " + contextTokens + " tokens; /new starts another.";
            case KvBudgetExceeded(long neededBytes, long budgetBytes) ->
                "The talk needs " + Bytes.format(neededBytes) + " of KV cache and there are "
                        + Bytes.format(budgetBytes) + "; /new starts another.";
            case ModelUnknown(String model) -> "There is no model '" + model + "'.";
            case ModelNotReady(String model) -> "The model " + model + " is not ready; ask again.";
            case InvalidRequest(String parameter, String message) ->
                "The model cannot be asked this: " + parameter + ": " + message + ".";
            case TemplateFailed(String message, int line) ->
                "The model's chat template failed" + (line > 0 ? " in line " + line : "") + ": " + message + ".";
            case DeadlineExceeded() -> "The reply took too long.";
            case DuplicateAttempt() -> "This was asked before.";
            case EngineFailed(String message) -> "The engine failed, and the model answers no more: " + message + ".";
        };
    }
}
