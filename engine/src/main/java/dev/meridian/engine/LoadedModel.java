package dev.meridian.engine;

import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.onnx.OnnxModelRunner;
import dev.meridian.engine.onnx.RunnerSettings;
import dev.meridian.engine.template.TemplateLimits;
import dev.meridian.engine.text.Encoded;
import dev.meridian.engine.text.PromptEncoder;
import dev.meridian.engine.text.Tokenizer;
import dev.meridian.protocol.Prompt;
import java.time.Clock;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A bundle in memory: weights, tokenizer, and the engine that runs them. Whoever opens it closes it. {@link #encode} is safe
 * for any thread; {@link #start} may be called once.
 */
public final class LoadedModel implements AutoCloseable {
    private final Bundle bundle;
    private final MemoryPlan memory;
    private final Tokenizer tokenizer;
    private final PromptEncoder encoder;
    private final Vocabulary vocabulary;
    private final OnnxModelRunner runner;
    private final EngineSettings engineSettings;
    private volatile @Nullable Engine engine;

    private LoadedModel(Bundle bundle, ModelSettings settings) {
        this.bundle = bundle;
        RunnerSettings runnerSettings =
                settings.runner().within(bundle.manifest().shape());
        memory = MemoryPlan.of(bundle, runnerSettings, settings.memoryBudgetBytes());
        engineSettings = new EngineSettings(settings.queueCapacity(), settings.prefillChunk(), memory.kvBudgetBytes());
        tokenizer = Tokenizer.load(bundle.folder());
        encoder = PromptEncoder.of(tokenizer, TemplateLimits.standard(), Clock.systemUTC());
        vocabulary = tokenizer.table();
        runner = OnnxModelRunner.open(bundle, runnerSettings);
    }

    /**
     * Loads a bundle. Blocks while it reads weights.
     *
     * @throws dev.meridian.engine.bundle.BundleException where a file is unusable or the budget too small
     */
    public static LoadedModel open(Bundle bundle, ModelSettings settings) {
        return new LoadedModel(bundle, settings);
    }

    public String id() {
        return bundle.id();
    }

    public Bundle bundle() {
        return bundle;
    }

    public BundleManifest manifest() {
        return bundle.manifest();
    }

    public MemoryPlan memory() {
        return memory;
    }

    /** The runner itself, for measurements beside the engine; never while the engine runs. */
    public ModelRunner runner() {
        return runner;
    }

    public Vocabulary vocabulary() {
        return vocabulary;
    }

    /** Templates and tokenises. Slow for long prompts: keep it off the actors' dispatcher. */
    public Encoded encode(Prompt prompt) {
        return encoder.encode(prompt);
    }

    /** Starts the engine with the model's own end tokens and sampling defaults. */
    public synchronized Engine start(StepListener listener, LongSupplier nanoClock) {
        return start(listener, nanoClock, manifest().eosTokenIds());
    }

    /** Starts the engine with other end tokens: measurements want none. */
    public synchronized Engine start(StepListener listener, LongSupplier nanoClock, List<Integer> endTokens) {
        if (engine != null) {
            throw new IllegalStateException(id() + " has an engine already");
        }
        Engine started = Engine.start(
                id(), runner, vocabulary, endTokens, manifest().defaults(), engineSettings, listener, nanoClock);
        engine = started;
        return started;
    }

    /** What the engine did so far; zeros before it starts. Safe from any thread. */
    public EngineStats stats() {
        Engine running = engine;
        return running == null ? EngineStats.NONE : running.stats();
    }

    /** Ends the engine after its step, then frees all native memory. */
    @Override
    public synchronized void close() {
        Engine running = engine;
        if (running != null) {
            running.close();
        }
        runner.close();
        tokenizer.close();
    }
}
