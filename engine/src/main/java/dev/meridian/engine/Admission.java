package dev.meridian.engine;

import dev.meridian.engine.bundle.BundleManifest.SamplingDefaults;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;
import java.util.Optional;

/**
 * What an engine takes in: nothing that could never run, and nothing that could break it for the others. Immutable, used by
 * any thread that submits.
 */
final class Admission {
    private final ModelRunner runner;
    private final EngineSettings settings;
    private final SamplingDefaults defaults;
    private final int budgetTokens;

    Admission(ModelRunner runner, EngineSettings settings, SamplingDefaults defaults) {
        this.runner = runner;
        this.settings = settings;
        this.defaults = defaults;
        budgetTokens = tokensThatFit(runner, settings.kvBudgetBytes());
    }

    /** The request's sampling over the model's defaults; to be checked before it is used. */
    SamplerSettings sampling(SequenceRequest request) {
        return SamplerSettings.resolve(request.generation().sampling(), defaults);
    }

    /** Why a sequence can never run here; empty where it can. */
    Optional<Refusal> check(SequenceRequest request, SamplerSettings sampling) {
        int prompt = request.promptIds().size();
        int length = prompt + request.emitted().size();
        int maxTokens = request.generation().maxTokens();
        if (prompt == 0) {
            return Optional.of(new Refusal.InvalidRequest("prompt", "the prompt has no token"));
        }
        if (length >= runner.contextTokens()) {
            return Optional.of(new Refusal.PromptTooLong(length, true, runner.contextTokens()));
        }
        if (length >= budgetTokens) {
            return Optional.of(new Refusal.KvBudgetExceeded(runner.kvBytes(length + 1), settings.kvBudgetBytes()));
        }
        if (maxTokens > 0 && request.emitted().size() >= maxTokens) {
            return Optional.of(new Refusal.InvalidRequest("max_tokens", "all tokens were generated before"));
        }
        return checkIds(request.promptIds())
                .or(() -> checkIds(request.emitted()))
                .or(() -> sampling.check(runner.vocabSize()));
    }

    private Optional<Refusal> checkIds(TokenIds ids) {
        for (int i = 0; i < ids.size(); i++) {
            int id = ids.get(i);
            if (id < 0 || id >= runner.vocabSize()) {
                return Optional.of(new Refusal.InvalidRequest(
                        "prompt", "token id " + id + " is outside the vocabulary of " + runner.vocabSize()));
            }
        }
        return Optional.empty();
    }

    /** Prompt and generated tokens together never exceed it. */
    int maxLength(SequenceRequest request) {
        int most = Math.min(runner.contextTokens(), budgetTokens);
        int asked = request.generation().maxTokens();
        return asked == 0
                ? most
                : (int) Math.min(most, (long) request.promptIds().size() + asked);
    }

    /** The most tokens of one sequence that the KV budget holds. */
    static int tokensThatFit(ModelRunner runner, long budgetBytes) {
        int low = 0;
        int high = runner.contextTokens();
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (runner.kvBytes(middle) <= budgetBytes) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }
}
