package dev.meridian.bench;

import dev.meridian.engine.Engine;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.StepListener;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How evenly streams flow while long prompts arrive: streams decode by themselves, then while one prompt after the other is
 * run, each of which wants one token, then by themselves again. The engine thread writes, the measuring thread reads once a
 * phase has ended.
 */
final class Interference implements StepListener {
    private static final long NEVER = Long.MAX_VALUE / 2;
    private static final long LOOK_MILLIS = 20;
    private static final int STREAM_PROMPT = 32;
    private static final String STREAMS = "streams";

    private final int vocabSize;
    private final Plan plan;
    private final Duration patience;
    private final Random random = new Random(1);
    private final Engine engine;
    private final long[] newestNanos;
    private volatile @Nullable MeasurementFailed failure;
    private volatile Phase phase = new Phase(0, 0);
    private int submitted;

    /**
     * What is measured.
     *
     * @param streams sequences that decode
     * @param idleGaps gaps of each stream without prompts beside it, before they come and again afterwards
     * @param prompts how many arrive, one when the one before has ended
     */
    record Plan(int streams, int idleGaps, int promptTokens, int prompts) {}

    record Result(
            double alonePromptTokensPerSecond, Gaps.Summary idle, Gaps.Summary loaded, double promptTokensPerSecond) {}

    /** Ends after a number of steps that gave all streams a token, or a number of prompts, whichever is not 0. */
    private static final class Phase {
        private final CountDownLatch done = new CountDownLatch(1);
        private final Gaps gaps = new Gaps();
        private final int steps;
        private final int prompts;
        private int seenSteps;
        private int seenPrompts;

        Phase(int steps, int prompts) {
            this.steps = steps;
            this.prompts = prompts;
        }
    }

    Interference(int vocabSize, Plan plan, Function<StepListener, Engine> startEngine, Duration patience) {
        this.vocabSize = vocabSize;
        this.plan = plan;
        this.patience = patience;
        newestNanos = new long[plan.streams()];
        engine = startEngine.apply(this);
    }

    Result measure() {
        // The first one warms up.
        runPrompts(1);
        double alone = runPrompts(1);
        Phase first = begin(new Phase(1, 0));
        submit(STREAMS, plan.streams(), STREAM_PROMPT, 0);
        await(first, "all streams to decode");
        Gaps idle = new Gaps();
        idle.addAll(idle());
        double loadedRate = runPrompts(plan.prompts());
        Phase loaded = phase;
        // Contexts have grown, and with them a step: what is compared must have short and long ones, too.
        idle.addAll(idle());
        engine.cancel(new Attempt(STREAMS, 1));
        return new Result(alone, idle.summary(), loaded.gaps.summary(), loadedRate);
    }

    private Gaps idle() {
        Phase idle = begin(new Phase(plan.idleGaps(), 0));
        await(idle, "tokens of the streams");
        return idle.gaps;
    }

    /** Two of them are always there until the last. Returns prompt tokens a second. */
    private double runPrompts(int count) {
        Phase running = begin(new Phase(0, count));
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            int others = i - 1;
            awaitUntil(() -> running.done.getCount() == 0 || seenPrompts(running) >= others, "a prompt to end");
            submit("prompt-" + submitted++, 1, plan.promptTokens(), 1);
        }
        await(running, "prompts to end");
        return (double) count * plan.promptTokens() / ((System.nanoTime() - start) / 1e9);
    }

    private static int seenPrompts(Phase of) {
        synchronized (of) {
            return of.seenPrompts;
        }
    }

    private Phase begin(Phase next) {
        phase = next;
        return next;
    }

    private void await(Phase awaited, String what) {
        awaitUntil(() -> awaited.done.getCount() == 0, what);
    }

    private void awaitUntil(BooleanSupplier holds, String what) {
        Patience left = new Patience(engine, patience);
        while (!holds.getAsBoolean()) {
            throwIfFailed();
            left.check(what);
            try {
                phase.done.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MeasurementFailed("interrupted while measuring", e);
            }
        }
        throwIfFailed();
    }

    private void throwIfFailed() {
        MeasurementFailed failed = failure;
        if (failed != null) {
            throw failed;
        }
    }

    private void submit(String id, int choices, int promptTokens, int maxTokens) {
        Generation generation = new Generation(Sampling.greedy(), choices, maxTokens, List.of(), -1);
        List<SequenceRequest> all = new ArrayList<>();
        for (int choice = 0; choice < choices; choice++) {
            TokenIds ids = TokenIds.of(random.ints(promptTokens, 0, vocabSize).toArray());
            all.add(new SequenceRequest(new Attempt(id, 1), choice, ids, TokenIds.empty(), generation, NEVER));
        }
        engine.submit(all).ifPresent(refusal -> {
            throwIfFailed();
            throw new MeasurementFailed("the engine refused: " + refusal);
        });
    }

    @Override
    public void onStep(long step, List<Entry> entries) {
        long now = System.nanoTime();
        Phase current = phase;
        int ofStreams = 0;
        for (Entry entry : entries) {
            if (entry.attempt().requestId().equals(STREAMS)) {
                stream(current, entry, now);
                ofStreams++;
            } else if (entry.finish() != null) {
                promptEnded(current);
            }
        }
        if (ofStreams == plan.streams() && current.steps > 0 && ++current.seenSteps > current.steps) {
            current.done.countDown();
        }
    }

    private void stream(Phase current, Entry entry, long now) {
        int choice = entry.choice();
        boolean measured = current.done.getCount() > 0 && newestNanos[choice] != 0;
        if (measured) {
            current.gaps.add(now - newestNanos[choice]);
        }
        newestNanos[choice] = now;
        if (entry.finish() != null) {
            fail(new MeasurementFailed("a stream ended by " + entry.finish() + " after " + (entry.index() + 1)
                    + " tokens, before the prompts had run; lower --prompts, --prompt or --tokens"));
        }
    }

    private static void promptEnded(Phase current) {
        synchronized (current) {
            current.seenPrompts++;
            if (current.seenPrompts == current.prompts) {
                current.done.countDown();
            }
        }
    }

    @Override
    public void onRefused(Attempt attempt, Refusal reason) {
        if (!(reason instanceof Refusal.EngineFailed)) {
            fail(new MeasurementFailed(attempt.requestId() + " was refused: " + reason));
        }
    }

    @Override
    public void onFailed(Throwable cause) {
        fail(new MeasurementFailed("the engine failed: " + cause, cause));
    }

    private void fail(MeasurementFailed failed) {
        if (failure == null) {
            failure = failed;
        }
    }
}
