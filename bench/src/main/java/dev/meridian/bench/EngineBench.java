package dev.meridian.bench;

import dev.meridian.engine.Engine;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** Runs a bundle bare and with the engine around it, round by round in turn, so that both see the same machine. */
final class EngineBench {
    /** Filled positions when decoding begins. */
    static final int DECODE_CONTEXT = 128;

    private static final long POLL_NANOS = 100_000;
    private static final long NEVER = Long.MAX_VALUE / 2;

    private final ModelRunner runner;
    private final LoadedModel model;
    private final ModelSettings settings;
    private final Random random = new Random(1);
    private int requests;

    private EngineBench(LoadedModel model, ModelSettings settings) {
        this.model = model;
        this.settings = settings;
        runner = model.runner();
    }

    static EngineReport run(
            Bundle bundle, ModelSettings settings, List<Integer> sequences, int prompt, int tokens, int rounds) {
        // The first load of a process brings the native libraries too, and the file into the page cache.
        double firstMillis = loadMillis(bundle, settings);
        long before = Memory.residentBytes();
        long start = System.nanoTime();
        try (LoadedModel model = LoadedModel.open(bundle, settings)) {
            double loadMillis = (System.nanoTime() - start) / 1e6;
            long after = Memory.residentBytes();
            EngineBench bench = new EngineBench(model, settings);
            List<EngineReport.Row> rows = bench.measure(sequences, prompt, tokens, rounds);
            return new EngineReport(
                    bundle.id(),
                    bundle.manifest().weights(),
                    settings.threads(),
                    prompt,
                    settings.prefillChunk(),
                    rounds,
                    firstMillis,
                    loadMillis,
                    after,
                    after < 0 ? -1 : after - before,
                    rows);
        }
    }

    private static double loadMillis(Bundle bundle, ModelSettings settings) {
        long start = System.nanoTime();
        try (LoadedModel _ = LoadedModel.open(bundle, settings)) {
            return (System.nanoTime() - start) / 1e6;
        }
    }

    private List<EngineReport.Row> measure(List<Integer> sequences, int prompt, int tokens, int rounds) {
        List<Series> all = new ArrayList<>();
        all.add(new Series("prefill of " + prompt, 0, rounds));
        sequences.forEach(n -> all.add(new Series("decode, " + n + (n == 1 ? " sequence" : " sequences"), n, rounds)));
        StepClock clock = new StepClock();
        Engine engine = model.start(clock, System::nanoTime, List.of());
        for (int round = -1; round < rounds; round++) {
            for (Series series : all) {
                // The engine thread sleeps while nothing is submitted, so the bare loop has the runner to itself.
                double bare = series.sequences == 0 ? barePrefill(prompt) : bareDecode(series.sequences, tokens);
                double withEngine = series.sequences == 0
                        ? enginePrefill(engine, clock, prompt)
                        : engineDecode(engine, clock, series.sequences, tokens);
                if (round >= 0) {
                    series.record(round, bare, withEngine, clock.allocatedPerToken());
                }
            }
        }
        return all.stream().map(Series::row).toList();
    }

    private int[] randomTokens(int count) {
        return random.ints(count, 0, runner.vocabSize()).toArray();
    }

    private double barePrefill(int prompt) {
        int[] tokens = randomTokens(prompt);
        long start = System.nanoTime();
        fill(0, tokens);
        double seconds = (System.nanoTime() - start) / 1e9;
        runner.releaseSlot(0, prompt);
        return prompt / seconds;
    }

    private void fill(int slot, int[] tokens) {
        for (int at = 0; at < tokens.length; at += settings.prefillChunk()) {
            int count = Math.min(settings.prefillChunk(), tokens.length - at);
            runner.prefill(slot, at, tokens, at, count, at + count == tokens.length);
        }
    }

    /** The least that any decoder does: run the graph and take the best token of each row. */
    private double bareDecode(int rows, int steps) {
        int context = decodeContext(steps);
        int[] tokens = new int[rows];
        int[] positions = new int[rows];
        float[] logits = new float[runner.vocabSize()];
        for (int row = 0; row < rows; row++) {
            fill(row, randomTokens(context));
            positions[row] = context;
        }
        long start = System.nanoTime();
        for (int step = 0; step < steps; step++) {
            runner.decode(rows, tokens, positions);
            for (int row = 0; row < rows; row++) {
                runner.logits(row, logits);
                tokens[row] = argmax(logits);
                positions[row]++;
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        for (int row = 0; row < rows; row++) {
            runner.releaseSlot(row, positions[row]);
        }
        return rows * steps / seconds;
    }

    private int decodeContext(int steps) {
        return Math.max(1, Math.min(DECODE_CONTEXT, runner.contextTokens() - steps - 1));
    }

    private static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    private double enginePrefill(Engine engine, StepClock clock, int prompt) {
        clock.expect(1, 1);
        long start = System.nanoTime();
        submit(engine, prompt, 1);
        clock.await();
        return prompt / ((System.nanoTime() - start) / 1e9);
    }

    private double engineDecode(Engine engine, StepClock clock, int sequences, int steps) {
        // One token comes from prefill; then as many full steps as the bare loop runs, while the last prompts come in.
        int prompt = decodeContext(steps + sequences);
        clock.expect(sequences, steps);
        for (int i = 0; i < sequences; i++) {
            submit(engine, prompt, 0);
        }
        clock.await();
        for (int i = 0; i < sequences; i++) {
            engine.cancel(new Attempt("bench-" + (requests - i), 1));
        }
        awaitIdle(engine);
        return clock.tokensPerSecond();
    }

    /** The runner is the bare loop's again once the engine has dropped all that it was running. */
    private static void awaitIdle(Engine engine) {
        while (engine.stats().decoding() > 0 || engine.stats().waiting() > 0) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private void submit(Engine engine, int prompt, int maxTokens) {
        Generation generation = new Generation(Sampling.greedy(), 1, maxTokens, List.of(), -1);
        SequenceRequest request = new SequenceRequest(
                new Attempt("bench-" + ++requests, 1),
                0,
                TokenIds.of(randomTokens(prompt)),
                TokenIds.empty(),
                generation,
                NEVER);
        engine.submit(List.of(request)).ifPresent(refusal -> {
            throw new IllegalStateException("the engine refused: " + refusal);
        });
    }

    /** The rounds of one row. */
    private static final class Series {
        private final String name;
        private final int sequences;
        private final double[] bare;
        private final double[] engine;
        private final double[] ratio;
        private final double[] heap;

        Series(String name, int sequences, int rounds) {
            this.name = name;
            this.sequences = sequences;
            bare = new double[rounds];
            engine = new double[rounds];
            ratio = new double[rounds];
            heap = new double[rounds];
        }

        void record(int round, double bareRate, double engineRate, double heapBytes) {
            bare[round] = bareRate;
            engine[round] = engineRate;
            ratio[round] = engineRate / bareRate;
            heap[round] = heapBytes;
        }

        EngineReport.Row row() {
            return new EngineReport.Row(
                    name, Math.max(1, sequences), median(bare), median(engine), median(ratio), median(heap));
        }

        private static double median(double[] values) {
            double[] sorted = values.clone();
            Arrays.sort(sorted);
            return sorted[sorted.length / 2];
        }
    }
}
