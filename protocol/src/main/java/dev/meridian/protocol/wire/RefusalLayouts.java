package dev.meridian.protocol.wire;

import dev.meridian.protocol.Refusal;

/** Why a request is not served. */
final class RefusalLayouts {
    static final Layout<Refusal.QueueFull> QUEUE_FULL = Layout.of(
            Refusal.QueueFull.class,
            (out, refusal) -> out.writeNumber(refusal.limit()),
            in -> new Refusal.QueueFull(in.readNumber()));

    static final Layout<Refusal.PromptTooLong> PROMPT_TOO_LONG = Layout.of(
            Refusal.PromptTooLong.class,
            (out, refusal) -> {
                out.writeNumber(refusal.promptTokens());
                out.writeBoolean(refusal.counted());
                out.writeNumber(refusal.contextTokens());
            },
            in -> new Refusal.PromptTooLong(in.readNumber(), in.readFlag("counted"), in.readNumber()));

    static final Layout<Refusal.KvBudgetExceeded> KV_BUDGET_EXCEEDED = Layout.of(
            Refusal.KvBudgetExceeded.class,
            (out, refusal) -> {
                out.writeNumber(refusal.neededBytes());
                out.writeNumber(refusal.budgetBytes());
            },
            in -> new Refusal.KvBudgetExceeded(in.readLongNumber(), in.readLongNumber()));

    static final Layout<Refusal.ModelUnknown> MODEL_UNKNOWN = Layout.of(
            Refusal.ModelUnknown.class,
            (out, refusal) -> out.writeText("model", Caps.NAME, refusal.model()),
            in -> new Refusal.ModelUnknown(in.readText("model", Caps.NAME)));

    static final Layout<Refusal.ModelNotReady> MODEL_NOT_READY = Layout.of(
            Refusal.ModelNotReady.class,
            (out, refusal) -> out.writeText("model", Caps.NAME, refusal.model()),
            in -> new Refusal.ModelNotReady(in.readText("model", Caps.NAME)));

    static final Layout<Refusal.InvalidRequest> INVALID_REQUEST = Layout.of(
            Refusal.InvalidRequest.class,
            (out, refusal) -> {
                out.writeText("parameter", Caps.NAME, refusal.parameter());
                out.writeText("reason", Caps.REASON, refusal.message());
            },
            in -> new Refusal.InvalidRequest(in.readText("parameter", Caps.NAME), in.readText("reason", Caps.REASON)));

    static final Layout<Refusal.TemplateFailed> TEMPLATE_FAILED = Layout.of(
            Refusal.TemplateFailed.class,
            (out, refusal) -> {
                out.writeText("reason", Caps.REASON, refusal.message());
                out.writeNumber(refusal.line());
            },
            in -> new Refusal.TemplateFailed(in.readText("reason", Caps.REASON), in.readNumber()));

    static final Layout<Refusal.DeadlineExceeded> DEADLINE_EXCEEDED =
            Layout.of(Refusal.DeadlineExceeded.class, (_, _) -> {}, _ -> new Refusal.DeadlineExceeded());

    static final Layout<Refusal.DuplicateAttempt> DUPLICATE_ATTEMPT =
            Layout.of(Refusal.DuplicateAttempt.class, (_, _) -> {}, _ -> new Refusal.DuplicateAttempt());

    static final Layout<Refusal.EngineFailed> ENGINE_FAILED = Layout.of(
            Refusal.EngineFailed.class,
            (out, refusal) -> out.writeText("reason", Caps.REASON, refusal.message()),
            in -> new Refusal.EngineFailed(in.readText("reason", Caps.REASON)));

    private RefusalLayouts() {}
}
