package dev.meridian.node;

import dev.meridian.bench.Perplexity;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.MemoryPlan;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import java.io.PrintWriter;
import java.util.Optional;

/**
 * Has bundles foresee one text or the same answers, each loaded for it alone; docs/models.md says how tokens count.
 *
 * @param settings of which the memory budget, the threads and the operators count
 * @param progress where its bars go
 */
record TextRun(EvalSubject subject, ModelSettings settings, PrintWriter progress) {
    /** The most tokens that a prediction looks at, where the model's context has room for as many. */
    static final int MAX_WINDOW = 512;

    private static final int ROWS = 16;
    private static final int CHUNK = 128;

    /** What came of it. */
    sealed interface Outcome {}

    /** It ran. */
    record Measured(Perplexity.Result result) implements Outcome {}

    /** It did not fit; {@code why} is a sentence for the report. */
    record NotRun(String why) implements Outcome {}

    /** Tokens of a window: what a bundle's predictions can look at, themselves counted. */
    static int windowTokens(BundleManifest manifest) {
        return Math.min(MAX_WINDOW, manifest.shape().contextTokens());
    }

    /** The same with other operators. */
    TextRun withKernels(ModelSettings.Kernels kernels) {
        return new TextRun(subject, settings.withKernels(kernels), progress);
    }

    /** Blocks until it has been run; {@code label} names the bundle on the bar. */
    Outcome run(Bundle bundle, String label) {
        int window = windowTokens(bundle.manifest());
        ModelSettings own = new ModelSettings(
                        settings.memoryBudgetBytes(), ROWS, window, CHUNK, ROWS, settings.threads())
                .withKernels(settings.kernels());
        Optional<String> lack = lack(bundle, own, window);
        if (lack.isPresent()) {
            return new NotRun("not run: " + lack.get());
        }
        try (LoadedModel model = LoadedModel.open(bundle, own)) {
            return new Measured(perplexity(model, window, label));
        }
    }

    /** What a bundle lacks to be run with a sequence of {@code tokens}; empty where its memory budget does. */
    static Optional<String> lack(Bundle bundle, ModelSettings settings, int tokens) {
        long least = MemoryPlan.leastBytes(bundle, settings, tokens);
        return least <= settings.memoryBudgetBytes()
                ? Optional.empty()
                : Optional.of("it needs " + Bytes.format(least) + " of memory, the budget is "
                        + Bytes.format(settings.memoryBudgetBytes()));
    }

    private Perplexity.Result perplexity(LoadedModel model, int window, String label) {
        long fitting = model.memory().kvBudgetBytes() / model.runner().kvBytes(window);
        int rows = Math.clamp(fitting, 1, model.runner().slots());
        try (ProgressBar bar = ProgressBar.on(progress)) {
            return subject.predict(
                    model, rows, CHUNK, window, (done, all) -> bar.update(done, all, label + ": perplexity"));
        }
    }
}
