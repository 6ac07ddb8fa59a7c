package dev.meridian.bench;

import dev.meridian.engine.ModelRunner;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * How well a model foresees a text: exp of the mean negative log-likelihood, in nats, of every token but the first, each
 * given at most a window of tokens before it; or of answers alone, each token given all of its own talk before it. Windows
 * begin a stride apart; each counts the tokens that none before it counted, so a token is counted once and, but for those of
 * the first window, after at least {@code window - stride} others.
 *
 * <p>Tokens that only give context are prefilled, those whose successor counts are decoded one by one, since a runner gives
 * one row of logits a sequence; several windows run as rows of one batch. One thread.
 */
public final class Perplexity {
    private final ModelRunner runner;
    private final int chunk;
    private final int[] tokens;
    private final IntConsumer counted;
    private final float[] logits;
    private final Predictions predictions;
    private int predicted;

    private Perplexity(ModelRunner runner, int chunk, int[] tokens, int count, IntConsumer counted) {
        this.runner = runner;
        this.chunk = chunk;
        this.tokens = tokens;
        this.counted = counted;
        logits = new float[runner.vocabSize()];
        predictions = new Predictions(count);
    }

    /**
     * What was found.
     *
     * @param predictions one for each token that counts, in their order
     * @param windows how many were run
     */
    public record Result(Predictions predictions, int windows) {
        /** Tokens that count. */
        public int predictedTokens() {
            return predictions.count();
        }

        /** Mean over the predicted tokens, in nats. */
        public double negativeLogLikelihood() {
            return predictions.meanLoss();
        }

        /** Infinite where the model gives a token of the text no chance that a double can hold. */
        public double perplexity() {
            return Math.exp(negativeLogLikelihood());
        }
    }

    /**
     * A text of which only the end counts.
     *
     * @param given at least one token
     * @param right what is predicted: at least one
     */
    public record Continuation(TokenIds given, TokenIds right) {
        public Continuation {
            if (given.size() == 0 || right.size() == 0) {
                throw new IllegalArgumentException(right.size() + " tokens after " + given.size());
            }
        }

        private int size() {
            return given.size() + right.size();
        }
    }

    /** Tokens {@code [begin, end)}, of which those from {@code scored} on count, as predictions from {@code index} on. */
    private record Window(int begin, int scored, int end, int index) {
        int decoded() {
            return end - scored - 1;
        }
    }

    /**
     * Runs a text over a runner that nobody else uses, and leaves its slots empty.
     *
     * @param rows the most windows that run together, as slots of the runner
     * @param chunk the most tokens of one prefill
     * @param tokens at least two, each below the runner's vocabulary
     * @param window at least 2 and at most the runner's context
     * @param stride at least 1 and less than {@code window}
     * @param counted hears after each pass how many tokens have been counted
     */
    public static Result of(
            ModelRunner runner, int rows, int chunk, int[] tokens, int window, int stride, IntConsumer counted) {
        requireRows(runner, rows);
        if (tokens.length < 2 || window < 2 || window > runner.contextTokens() || stride < 1 || stride > window - 1) {
            throw new IllegalArgumentException(tokens.length + " tokens in windows of " + window + " and strides of "
                    + stride + ", of a context of " + runner.contextTokens());
        }
        return new Perplexity(runner, chunk, tokens, tokens.length - 1, counted)
                .run(rows, windows(tokens.length, window, stride));
    }

    /**
     * The same of several texts that each begin anew, a window each, and of their ends alone.
     *
     * @param texts at least one, none longer than the runner's context
     */
    public static Result of(ModelRunner runner, int rows, int chunk, List<Continuation> texts, IntConsumer counted) {
        requireRows(runner, rows);
        List<Window> windows = new ArrayList<>();
        IntStream.Builder tokens = IntStream.builder();
        int begin = 0;
        int index = 0;
        for (Continuation text : texts) {
            if (text.size() > runner.contextTokens()) {
                throw new IllegalArgumentException(text.size() + " tokens, of a context of " + runner.contextTokens());
            }
            int scored = begin + text.given().size();
            windows.add(new Window(begin, scored, begin + text.size(), index));
            IntStream.of(text.given().toArray()).forEach(tokens);
            IntStream.of(text.right().toArray()).forEach(tokens);
            begin += text.size();
            index += text.right().size();
        }
        return new Perplexity(runner, chunk, tokens.build().toArray(), index, counted).run(rows, windows);
    }

    private static void requireRows(ModelRunner runner, int rows) {
        if (rows < 1 || rows > runner.slots()) {
            throw new IllegalArgumentException(rows + " rows of " + runner.slots() + " slots");
        }
    }

    private Result run(int rows, List<Window> windows) {
        for (int first = 0; first < windows.size(); first += rows) {
            batch(new ArrayList<>(windows.subList(first, Math.min(windows.size(), first + rows))));
        }
        return new Result(predictions, windows.size());
    }

    private static List<Window> windows(int count, int window, int stride) {
        List<Window> windows = new ArrayList<>();
        int scored = 1;
        for (int begin = 0; scored < count; begin += stride) {
            int end = Math.min(count, begin + window);
            windows.add(new Window(begin, scored, end, scored - 1));
            scored = end;
        }
        return windows;
    }

    /** The longest first, so that those that still run are always the first rows. */
    private void batch(List<Window> batch) {
        batch.sort(Comparator.comparingInt(Window::decoded).reversed());
        for (int slot = 0; slot < batch.size(); slot++) {
            prefill(slot, batch.get(slot));
        }
        int[] next = new int[batch.size()];
        int[] positions = new int[batch.size()];
        int rows = batch.size();
        int steps = batch.getFirst().decoded();
        for (int step = 0; step < steps; step++) {
            while (batch.get(rows - 1).decoded() <= step) {
                rows--;
            }
            for (int row = 0; row < rows; row++) {
                Window window = batch.get(row);
                next[row] = tokens[window.scored() + step];
                positions[row] = window.scored() + step - window.begin();
            }
            runner.decode(rows, next, positions);
            for (int row = 0; row < rows; row++) {
                count(row, batch.get(row), step + 1);
            }
            counted.accept(predicted);
        }
        for (int slot = 0; slot < batch.size(); slot++) {
            runner.releaseSlot(slot, batch.get(slot).end() - 1 - batch.get(slot).begin());
        }
    }

    /** All before the first token that counts, which is the first to be predicted. */
    private void prefill(int slot, Window window) {
        for (int at = window.begin(); at < window.scored(); at += chunk) {
            int count = Math.min(chunk, window.scored() - at);
            boolean last = at + count == window.scored();
            runner.prefill(slot, at - window.begin(), tokens, at, count, last);
        }
        count(0, window, 0);
        counted.accept(predicted);
    }

    /** Row {@code row} of the last pass foretells a window's {@code nth} token that counts, from 0. */
    private void count(int row, Window window, int nth) {
        runner.logits(row, logits);
        predictions.set(window.index() + nth, logits, tokens[window.scored() + nth]);
        predicted++;
    }
}
