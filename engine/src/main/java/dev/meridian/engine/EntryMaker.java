package dev.meridian.engine;

import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.Timings;
import dev.meridian.protocol.TokenLogprob;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** From logits to entries: samples, ends, and tells. Used by the engine thread alone. */
final class EntryMaker {
    private final ModelRunner runner;
    private final Set<Integer> endTokens;
    private final LongSupplier nanoClock;
    private final Sampler sampler;
    private final Logprobs logprobs;
    private final float[] logits;

    EntryMaker(ModelRunner runner, Vocabulary vocabulary, List<Integer> endTokens, LongSupplier nanoClock) {
        this.runner = runner;
        this.endTokens = Set.copyOf(endTokens);
        this.nanoClock = nanoClock;
        sampler = new Sampler(runner.vocabSize());
        logprobs = new Logprobs(vocabulary, runner.vocabSize());
        logits = new float[runner.vocabSize()];
    }

    /** Samples a sequence's next token from a row of the last pass's logits, appends it, and makes its entry. */
    Entry next(Sequence sequence, int row) {
        runner.logits(row, logits);
        int top = sequence.request.generation().topLogprobs();
        List<TokenLogprob> alternatives = List.of();
        if (top >= 0) {
            logprobs.read(logits);
            alternatives = logprobs.top(logits, Math.min(top, logits.length));
        }
        int token = sampler.sample(
                logits,
                sequence.sampler,
                sequence.tokens(),
                sequence.promptLength(),
                sequence.length(),
                sequence.request.choice());
        TokenLogprob chosen = null;
        if (top >= 0) {
            // The sampler works in place, and a log-probability is of the row as the model gave it.
            runner.logits(row, logits);
            chosen = logprobs.of(logits, token);
        }
        int index = sequence.generated();
        sequence.append(token);
        boolean first = sequence.firstTokenNanos < 0;
        if (first) {
            sequence.firstTokenNanos = nanoClock.getAsLong();
        }
        return entry(sequence, index, token, chosen, alternatives, first);
    }

    private Entry entry(
            Sequence sequence,
            int index,
            int token,
            @Nullable TokenLogprob chosen,
            List<TokenLogprob> alternatives,
            boolean first) {
        boolean end = endTokens.contains(token);
        String text = end ? "" : sequence.text.append(token);
        FinishReason finish = end || sequence.text.stopped() ? FinishReason.STOP : null;
        if (finish == null && sequence.length() >= sequence.maxLength) {
            finish = FinishReason.LENGTH;
        }
        if (finish != null && !sequence.text.stopped()) {
            text += sequence.text.finish();
            finish = sequence.text.stopped() ? FinishReason.STOP : finish;
        }
        return new Entry(
                sequence.request.attempt(),
                sequence.request.choice(),
                index,
                token,
                text,
                chosen,
                alternatives,
                finish,
                first || finish != null ? timings(sequence, finish != null) : null);
    }

    private Timings timings(Sequence sequence, boolean ended) {
        long now = ended ? nanoClock.getAsLong() : sequence.firstTokenNanos;
        return new Timings(
                TimeUnit.NANOSECONDS.toMicros(sequence.startedNanos - sequence.submittedNanos),
                TimeUnit.NANOSECONDS.toMicros(sequence.firstTokenNanos - sequence.startedNanos),
                TimeUnit.NANOSECONDS.toMicros(now - sequence.firstTokenNanos),
                sequence.cachedTokens());
    }
}
