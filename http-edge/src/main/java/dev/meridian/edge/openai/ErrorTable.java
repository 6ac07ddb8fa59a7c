package dev.meridian.edge.openai;

import dev.meridian.edge.stream.StreamFailure;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.cluster.Residency;
import java.time.Duration;

/**
 * The one table from a stream's failure to what the client sees. Messages name limits and never carry an engine's or a
 * replica's internals.
 */
public final class ErrorTable {
    private static final String INVALID = "invalid_request_error";
    private static final String SERVER = "server_error";
    private static final int MOST_RETRY_SECONDS = 3600;

    private ErrorTable() {}

    public static ApiError of(StreamFailure failure) {
        return switch (failure) {
            case StreamFailure.ByReplica(Refusal reason) -> of(reason);
            case StreamFailure.ReplicaLost(String model) ->
                retry(503, SERVER, "replica_lost", "The replica of '" + model + "' is gone and there is no other.", 2);
            case StreamFailure.NoAllowedRegion(String model, Residency residency) ->
                retry(
                        503,
                        SERVER,
                        "no_allowed_region",
                        "This request may be served in these regions alone: " + residency + ". No replica of '" + model
                                + "' is ready there.",
                        2);
            case StreamFailure.ModelLoading(String model, long estimateMillis) ->
                retry(
                        503,
                        SERVER,
                        "model_loading",
                        "The model '" + model + "' is not loaded; that takes about " + estimateMillis
                                + " ms, which is longer than this request's deadline.",
                        (int) Math.min(MOST_RETRY_SECONDS, 1 + estimateMillis / 1000));
            case StreamFailure.AttemptsExhausted(int attempts) ->
                retry(
                        503,
                        SERVER,
                        "attempts_exhausted",
                        "The reply was not finished in " + attempts + (attempts == 1 ? " attempt." : " attempts."),
                        2);
            case StreamFailure.TooManyStreams(int limit) ->
                retry(503, SERVER, "too_many_streams", "This node serves " + limit + " requests already.", 1);
            case StreamFailure.JournalFull(long limitBytes) ->
                retry(
                        503,
                        SERVER,
                        "journal_full",
                        "What this reply may need does not fit beside other clients' unread replies; all may hold "
                                + limitBytes + " bytes.",
                        2);
            case StreamFailure.ReplyTooLarge(long neededBytes, long limitBytes) ->
                ApiError.invalid(
                        "reply_too_large",
                        null,
                        "The reply may need " + neededBytes + " bytes at the edge; the most is " + limitBytes
                                + ". Lower max_tokens, n or the number of log-probabilities.");
            case StreamFailure.JournalOverflow(long limitBytes) ->
                retry(
                        503,
                        SERVER,
                        "journal_overflow",
                        "All unread replies together passed " + limitBytes + " bytes, and this one was the largest.",
                        2);
            case StreamFailure.ReaderTooSlow(Duration limit) ->
                new ApiError(
                        408,
                        "timeout_error",
                        "reader_too_slow",
                        "Nothing was read for " + limit.toMillis() + " ms though there was something.",
                        null,
                        0);
            case StreamFailure.ClientLeft _ -> retry(499, SERVER, "client_closed_request", "The client left.", 0);
            case StreamFailure.ShuttingDown _ -> retry(503, SERVER, "shutting_down", "This node is stopping.", 5);
        };
    }

    private static ApiError of(Refusal refusal) {
        return switch (refusal) {
            case Refusal.QueueFull(int limit) ->
                retry(429, "rate_limit_error", "queue_full", "The model's queue of " + limit + " requests is full.", 1);
            case Refusal.PromptTooLong(int promptTokens, boolean counted, int contextTokens) ->
                new ApiError(
                        400,
                        INVALID,
                        "context_length_exceeded",
                        "The prompt has " + (counted ? "" : "at least ") + promptTokens
                                + " tokens; this model's context of " + contextTokens
                                + " tokens leaves no room for a reply.",
                        null,
                        0);
            case Refusal.KvBudgetExceeded(long neededBytes, long budgetBytes) ->
                ApiError.invalid(
                        "kv_budget_exceeded",
                        null,
                        "The prompt needs " + neededBytes + " bytes of KV memory; the replica has " + budgetBytes
                                + ". Shorten the prompt.");
            case Refusal.ModelUnknown(String model) -> modelUnknown(model);
            case Refusal.ModelNotReady(String model) ->
                retry(503, SERVER, "model_not_ready", "The model '" + model + "' is not ready yet.", 2);
            case Refusal.InvalidRequest(String parameter, String message) ->
                ApiError.invalid("invalid_value", parameter, message);
            case Refusal.TemplateFailed(String message, int line) ->
                ApiError.invalid(
                        "template_failed",
                        "messages",
                        "The model's chat template refused the messages" + (line > 0 ? " (line " + line + ")" : "")
                                + ": " + message);
            case Refusal.DeadlineExceeded _ ->
                retry(504, "timeout_error", "deadline_exceeded", "The request's deadline passed.", 0);
            case Refusal.DuplicateAttempt _ ->
                retry(503, SERVER, "duplicate_attempt", "The request was seen before; send it again.", 1);
            case Refusal.EngineFailed _ ->
                retry(500, SERVER, "engine_failed", "The engine failed while serving this request.", 0);
        };
    }

    public static ApiError modelUnknown(String model) {
        return new ApiError(404, INVALID, "model_not_found", "The model '" + model + "' does not exist.", "model", 0);
    }

    /** Of a key that lists its models; it does not say whether there is such a model. */
    public static ApiError modelForbidden() {
        return new ApiError(403, INVALID, "model_forbidden", "This key may not use this model.", "model", 0);
    }

    /** Of a stream that never was, is over, or is another key's: nobody is told which. */
    public static ApiError streamUnknown() {
        return new ApiError(
                404, INVALID, "stream_not_found", "No such stream is kept in this region for this key.", null, 0);
    }

    /** Of a stream that another edge keeps. */
    public static ApiError edgeUnreachable(String node) {
        return retry(
                503, SERVER, "edge_unreachable", "Edge '" + node + "', which keeps the stream, does not answer.", 2);
    }

    /** Of a request that reached an edge where it must not be read. */
    public static ApiError regionForbidden(String whose, Residency residency, String region) {
        return new ApiError(
                451,
                INVALID,
                "region_forbidden",
                whose + " may be used in these regions alone: " + residency + ". This edge is in '" + region + "'.",
                null,
                0);
    }

    public static ApiError rateLimited(String limit, int afterSeconds) {
        return retry(
                429,
                "rate_limit_error",
                "rate_limit_exceeded",
                "This key has used up its " + limit + ".",
                afterSeconds);
    }

    private static ApiError retry(int status, String type, String code, String message, int afterSeconds) {
        return new ApiError(status, type, code, message, null, afterSeconds);
    }
}
