package dev.meridian.bench;

import dev.meridian.engine.Engine;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.ModelRunner;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.SequenceRequest;
import dev.meridian.engine.StepListener;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Generation;
import dev.meridian.protocol.Sampling;
import dev.meridian.protocol.TokenIds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/** Runs a bundle bare and with the engine around it, round by round in turn, so that both see the same machine. */
final class EngineBench {
    private static final long POLL_NANOS = 100_000;
    private static final long NEVER = Long.MAX_VALUE / 2;

    private final EnginePlan plan;
    private final BareLoop bare;
    private final StepClock clock = new StepClock();
    private final Engine engine;
    private final Duration patience;
    private int requests;

    /**
     * Starts the engine; whoever started it closes it.
     *
     * @param startEngine an engine over {@code runner}, without end tokens
     * @param patience how long the engine may go without a step
     */
    EngineBench(ModelRunner runner, EnginePlan plan, Function<StepListener, Engine> startEngine, Duration patience) {
        if (runner.slots() < plan.mostSequences()) {
            throw new MeasurementFailed("--sequences " + plan.mostSequences() + ": only " + runner.slots()
                    + " KV caches of " + runner.contextTokens()
                    + " tokens fit one buffer of a layer; lower --sequences, --prompt or --tokens");
        }
        bare = new BareLoop(runner, plan.chunk());
        this.plan = plan;
        this.patience = patience;
        engine = startEngine.apply(clock);
    }

    static EngineReport run(Bundle bundle, ModelSettings settings, EnginePlan plan) {
        // The first load of a process brings the native libraries too, and the file into the page cache.
        double firstMillis = loadMillis(bundle, settings);
        long before = Memory.residentBytes();
        long start = System.nanoTime();
        try (LoadedModel model = LoadedModel.open(bundle, settings)) {
            double loadMillis = (System.nanoTime() - start) / 1e6;
            long after = Memory.residentBytes();
            EngineBench bench = new EngineBench(
                    model.runner(),
                    plan,
                    listener -> model.start(listener, System::nanoTime, List.of()),
                    Patience.STANDARD);
            return new EngineReport(
                    bundle.id(),
                    bundle.manifest().weights(),
                    bundle.manifest().packing() == null
                            ? null
                            : settings.kernels().path(),
                    settings.threads(),
                    plan.promptTokens(),
                    plan.chunk(),
                    plan.decodeContext(),
                    plan.decodeTokens(),
                    plan.rounds(),
                    firstMillis,
                    loadMillis,
                    after,
                    after < 0 ? -1 : after - before,
                    bench.measure());
        }
    }

    private static double loadMillis(Bundle bundle, ModelSettings settings) {
        long start = System.nanoTime();
        try (LoadedModel _ = LoadedModel.open(bundle, settings)) {
            return (System.nanoTime() - start) / 1e6;
        }
    }

    List<EngineReport.Row> measure() {
        List<Series> all = new ArrayList<>();
        all.add(new Series("prefill of " + plan.promptTokens(), Series.PREFILL, plan.rounds()));
        plan.sequences()
                .forEach(n ->
                        all.add(new Series("decode, " + n + (n == 1 ? " sequence" : " sequences"), n, plan.rounds())));
        // The first time round warms up.
        for (int round = -1; round < plan.rounds(); round++) {
            for (Series series : all) {
                // The engine thread sleeps while nothing is submitted, so the bare loop has the runner to itself.
                double bareRate = series.isPrefill() ? barePrefill() : bareDecode(series.sequences());
                double withEngine = series.isPrefill() ? enginePrefill() : engineDecode(series.sequences());
                if (round >= 0) {
                    series.record(round, bareRate, withEngine, clock.allocatedPerToken());
                }
            }
        }
        return all.stream().map(Series::row).toList();
    }

    private double barePrefill() {
        return plan.promptTokens() * 1e3 / bare.prefillMillis(plan.promptTokens());
    }

    private double bareDecode(int rows) {
        return rows * plan.decodeTokens() * 1e3 / bare.decodeMillis(rows, plan.decodeContext(), plan.decodeTokens());
    }

    private double enginePrefill() {
        clock.expect(1, 1);
        long start = System.nanoTime();
        submit(1, plan.promptTokens(), 1);
        clock.await(new Patience(engine, patience));
        return plan.promptTokens() / ((System.nanoTime() - start) / 1e9);
    }

    private double engineDecode(int sequences) {
        // One token comes from prefill; then as many full steps as the bare loop runs, once the last prompt is in.
        clock.expect(sequences, plan.decodeTokens());
        Attempt attempt = submit(sequences, plan.decodeContext(), 0);
        clock.await(new Patience(engine, patience));
        engine.cancel(attempt);
        awaitIdle();
        return clock.tokensPerSecond();
    }

    /** The runner is the bare loop's again once the engine has dropped all that it was running. */
    private void awaitIdle() {
        Patience left = new Patience(engine, patience);
        while (engine.stats().decoding() > 0 || engine.stats().waiting() > 0) {
            clock.throwIfFailed();
            left.check("the engine to be idle");
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** All at once, as the choices of one attempt: a fast engine would be ahead of a loop that submits one by one. */
    private Attempt submit(int sequences, int prompt, int maxTokens) {
        Attempt attempt = new Attempt("bench-" + ++requests, 1);
        Generation generation = new Generation(Sampling.greedy(), sequences, maxTokens, List.of(), -1);
        List<SequenceRequest> choices = new ArrayList<>();
        for (int choice = 0; choice < sequences; choice++) {
            TokenIds ids = TokenIds.of(bare.randomTokens(prompt));
            choices.add(new SequenceRequest(attempt, choice, ids, TokenIds.empty(), generation, NEVER));
        }
        engine.submit(choices).ifPresent(refusal -> {
            clock.throwIfFailed();
            throw new MeasurementFailed("the engine refused: " + refusal);
        });
        return attempt;
    }
}
