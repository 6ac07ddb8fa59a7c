package dev.meridian.engine;

import dev.meridian.engine.ModelSettings.Kernels;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleException;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.CheckedBundle;
import dev.meridian.engine.bundle.VerifiedFiles;
import dev.meridian.engine.kernels.KernelLibrary;
import dev.meridian.engine.onnx.GraphRunners;
import dev.meridian.engine.onnx.RunnerSettings;
import dev.meridian.engine.template.TemplateException;
import dev.meridian.engine.template.TemplateLimits;
import dev.meridian.engine.text.Encoded;
import dev.meridian.engine.text.PromptEncoder;
import dev.meridian.engine.text.Tokenizer;
import dev.meridian.engine.text.TokenizerException;
import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
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
    private final ModelRunner runner;
    private final EngineSettings engineSettings;
    private final ReentrantReadWriteLock open = new ReentrantReadWriteLock();
    private volatile @Nullable Engine engine;
    private boolean closed;

    private LoadedModel(
            Bundle bundle,
            ModelSettings settings,
            MemoryPlan memory,
            Tokenizer tokenizer,
            PromptEncoder encoder,
            ModelRunner runner) {
        this.bundle = bundle;
        this.memory = memory;
        this.tokenizer = tokenizer;
        this.encoder = encoder;
        this.runner = runner;
        engineSettings = new EngineSettings(
                settings.queueCapacity(),
                settings.prefillChunk(),
                memory.kvBudgetBytes(),
                settings.fairness(),
                settings.prefixCaching(),
                settings.speculativeTokens());
    }

    /** As {@link #open(Bundle, ModelSettings, VerifiedFiles)}, reading every file. */
    public static LoadedModel open(Bundle bundle, ModelSettings settings) {
        return open(bundle, settings, VerifiedFiles.none());
    }

    /**
     * Checks and loads a bundle. Blocks while it reads weights.
     *
     * @param verified knows files that need not be read again
     * @throws BundleException where a file is unusable or the budget too small
     */
    public static LoadedModel open(Bundle bundle, ModelSettings settings, VerifiedFiles verified) {
        RunnerSettings runnerSettings = settings.runner().within(bundle.manifest());
        // Refuses before anything is read.
        MemoryPlan memory = MemoryPlan.of(bundle, runnerSettings, settings.memoryBudgetBytes());
        CheckedBundle checked = CheckedBundle.of(bundle, verified);
        Tokenizer tokenizer = tokenizer(bundle);
        ModelRunner runner = null;
        try {
            PromptEncoder encoder = PromptEncoder.of(
                    tokenizer, TemplateLimits.standard(), Clock.systemUTC(), runnerSettings.contextTokens());
            if (bundle.manifest().packing() != null && settings.kernels() == Kernels.AUTO) {
                KernelLibrary.announce();
            }
            runner = GraphRunners.open(checked, runnerSettings);
            checked.requireUnchanged();
            return new LoadedModel(bundle, settings, memory, tokenizer, encoder, runner);
        } catch (RuntimeException e) {
            tokenizer.close();
            if (runner != null) {
                runner.close();
            }
            throw e instanceof TemplateException fault
                    ? new BundleException(bundle.folder() + ": the chat template, " + fault.getMessage(), fault)
                    : e;
        }
    }

    private static Tokenizer tokenizer(Bundle bundle) {
        try {
            return Tokenizer.load(bundle.folder());
        } catch (TokenizerException e) {
            throw new BundleException(bundle.folder() + ": " + e.getMessage(), e);
        }
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
        return tokenizer.table();
    }

    /** Templates and tokenises. Slow for long prompts: keep it off the actors' dispatcher. Refuses once closed. */
    public Encoded encode(Prompt prompt) {
        return whileOpen(() -> encoder.encode(prompt));
    }

    /** A text of any length, longer than the context too: for measurements that read it in parts. */
    public Encoded encodeWhole(String text) {
        return whileOpen(() -> encoder.encodeWhole(text));
    }

    private Encoded whileOpen(Supplier<Encoded> encoded) {
        open.readLock().lock();
        try {
            return closed ? new Encoded.Refused(new Refusal.ModelNotReady(id())) : withinVocabulary(encoded.get());
        } finally {
            open.readLock().unlock();
        }
    }

    /** A tokenizer may know tokens that its model has no row for. */
    private Encoded withinVocabulary(Encoded encoded) {
        int vocabulary = manifest().shape().vocabSize();
        if (encoded instanceof Encoded.Ids(TokenIds ids)) {
            for (int i = 0; i < ids.size(); i++) {
                if (ids.get(i) >= vocabulary) {
                    return new Encoded.Refused(new Refusal.InvalidRequest(
                            "prompt",
                            "token " + ids.get(i) + " at index " + i + " is outside the model's vocabulary of "
                                    + vocabulary));
                }
            }
        }
        return encoded;
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
                id(), runner, tokenizer.table(), endTokens, manifest().defaults(), engineSettings, listener, nanoClock);
        engine = started;
        return started;
    }

    /** What the engine did so far; zeros before it starts. Safe from any thread. */
    public EngineStats stats() {
        Engine running = engine;
        return running == null ? EngineStats.NONE : running.stats();
    }

    /** Ends the engine after its step, waits for prompts that are being encoded, then frees all native memory. Idempotent. */
    @Override
    public synchronized void close() {
        Engine running = engine;
        if (running != null) {
            running.close();
        }
        open.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                runner.close();
                tokenizer.close();
            }
        } finally {
            open.writeLock().unlock();
        }
    }
}
