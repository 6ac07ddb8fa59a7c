package dev.meridian.bench;

import dev.meridian.engine.Engine;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.text.Encoded;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks a model questions, greedily, and counts the replies that equal the right answer to the letter, but for space around
 * them. Blocks its caller; the engine batches.
 */
public final class Evaluation implements StepListener {
    private static final long NEVER = Long.MAX_VALUE / 2;
    /** A reply that is longer than any right answer is wrong already. */
    private static final int SPARE_TOKENS = 8;

    private final List<Question> questions;
    private final Function<Prompt, Encoded> encoder;
    private final Map<String, StringBuilder> replies = new HashMap<>();
    private final Semaphore ended = new Semaphore(0);
    private int finished;
    private volatile int answered;
    private volatile @Nullable MeasurementFailed failure;

    private Evaluation(List<Question> questions, Function<Prompt, Encoded> encoder) {
        this.questions = questions;
        this.encoder = encoder;
    }

    /**
     * What a model answered.
     *
     * @param wrong question, reply and right answer of each mistake
     */
    public record Result(Score all, Map<String, Score> byKind, List<String> wrong) {
        public Result {
            byKind = new TreeMap<>(byKind);
            wrong = List.copyOf(wrong);
        }

        /** Of one kind of question; zeros where none was asked. */
        public Score score(String kind) {
            return byKind.getOrDefault(kind, Score.NONE);
        }
    }

    /** Replies that equal the answer, among those asked. */
    public record Score(int right, int asked) {
        static final Score NONE = new Score(0, 0);

        Score plus(boolean isRight) {
            return new Score(right + (isRight ? 1 : 0), asked + 1);
        }

        /** 0 to 1. */
        public double accuracy() {
            return asked == 0 ? 0 : (double) right / asked;
        }
    }

    /**
     * Takes the model's one engine: the model is of no other use afterwards.
     *
     * @param inFlight questions that wait or run at a time, at most what the engine's queue holds
     * @param progress hears how many questions have been answered, on the caller's thread
     * @throws MeasurementFailed where the engine failed or refused a question, at any time
     */
    public static Result run(LoadedModel model, List<Question> questions, int inFlight, IntConsumer progress)
            throws InterruptedException {
        return run(model::encode, listener -> model.start(listener, System::nanoTime), questions, inFlight, progress);
    }

    /** The same with any engine. */
    static Result run(
            Function<Prompt, Encoded> encoder,
            Function<StepListener, Engine> startEngine,
            List<Question> questions,
            int inFlight,
            IntConsumer progress)
            throws InterruptedException {
        Evaluation evaluation = new Evaluation(questions, encoder);
        Engine engine = startEngine.apply(evaluation);
        evaluation.ended.release(inFlight);
        for (int i = 0; i < questions.size(); i++) {
            evaluation.awaitOne(progress);
            evaluation.ask(engine, i);
        }
        for (int i = 0; i < inFlight; i++) {
            evaluation.awaitOne(progress);
        }
        return evaluation.result();
    }

    private void awaitOne(IntConsumer progress) throws InterruptedException {
        ended.acquire();
        throwIfFailed();
        progress.accept(answered);
    }

    private void throwIfFailed() {
        MeasurementFailed failed = failure;
        if (failed != null) {
            throw failed;
        }
    }

    private void ask(Engine engine, int index) {
        Question question = questions.get(index);
        TokenIds ids = encode(index, new Prompt.Chat(question.messages()));
        int most = encode(index, new Prompt.Text(question.answer())).size() + SPARE_TOKENS;
        Generation generation = new Generation(Sampling.greedy(), 1, most, List.of(), -1);
        engine.submit(List.of(new SequenceRequest(
                        new Attempt(Integer.toString(index), 1), 0, ids, TokenIds.empty(), generation, NEVER)))
                .ifPresent(refusal -> {
                    throwIfFailed();
                    throw refused(index, refusal);
                });
    }

    private TokenIds encode(int index, Prompt prompt) {
        return switch (encoder.apply(prompt)) {
            case Encoded.Ids(TokenIds ids) -> ids;
            case Encoded.Refused(Refusal reason) -> throw refused(index, reason);
        };
    }

    private static MeasurementFailed refused(Object index, Refusal reason) {
        return new MeasurementFailed("question " + index + " (from 0) was refused: " + reason);
    }

    private synchronized Result result() {
        Score all = Score.NONE;
        Map<String, Score> byKind = new TreeMap<>();
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < questions.size(); i++) {
            Question question = questions.get(i);
            String reply = replies.getOrDefault(Integer.toString(i), new StringBuilder())
                    .toString()
                    .strip();
            boolean right = reply.equals(question.answer().strip());
            all = all.plus(right);
            byKind.put(
                    question.kind(),
                    byKind.getOrDefault(question.kind(), Score.NONE).plus(right));
            if (!right) {
                wrong.add(question.messages().getLast().content() + " -> " + reply + " (right: " + question.answer()
                        + ")");
            }
        }
        return new Result(all, byKind, wrong);
    }

    @Override
    public synchronized void onStep(long step, List<Entry> entries) {
        for (Entry entry : entries) {
            replies.computeIfAbsent(entry.attempt().requestId(), _ -> new StringBuilder())
                    .append(entry.text());
            if (entry.finish() != null) {
                answered = ++finished;
                ended.release();
            }
        }
    }

    @Override
    public void onRefused(Attempt attempt, Refusal reason) {
        // Of a failed engine onFailed tells more, and at once.
        if (!(reason instanceof Refusal.EngineFailed)) {
            fail(refused(attempt.requestId(), reason));
        }
    }

    @Override
    public void onFailed(Throwable cause) {
        fail(new MeasurementFailed("the engine failed: " + cause, cause));
    }

    /** Keeps the first one and ends whatever wait the caller is in. Called by the engine thread alone. */
    private void fail(MeasurementFailed failed) {
        if (failure == null) {
            failure = failed;
        }
        ended.release();
    }
}
