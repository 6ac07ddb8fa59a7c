package dev.meridian.node;

import dev.meridian.bench.Perplexity;
import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.WeightErrors;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.LoadedModel;
import dev.meridian.engine.MemoryPlan;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import dev.meridian.node.VariantReport.Variant;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Compares all kinds of weights that a model can be imported with. Each but the imported one is made beside the bundle, in a
 * hidden folder that is gone before the next is made, when anything fails, and when the process is told to stop. Of a
 * ready-made graph there is but the imported one.
 */
final class VariantEvaluation {
    /** The most tokens that a prediction looks at, where the model's context has room for as many. */
    static final int MAX_WINDOW = 512;

    private static final int ROWS = 16;
    private static final int CHUNK = 128;

    private final ImportRequest request;
    private final EvalText text;
    private final ModelSettings settings;
    private final PrintWriter progress;
    private final List<Variant> variants = new ArrayList<>();
    private int textTokens;
    private int window;

    /**
     * An evaluation of what was imported.
     *
     * @param request which has been done: its bundle is there
     * @param settings of which the memory budget and the threads count
     * @param progress where its bars go
     */
    VariantEvaluation(ImportRequest request, EvalText text, ModelSettings settings, PrintWriter progress) {
        this.request = request;
        this.text = text;
        this.settings = settings;
        this.progress = progress;
    }

    VariantReport run() throws IOException, ImportException {
        Bundle imported = Bundle.open(request.out());
        window = Math.min(MAX_WINDOW, imported.manifest().shape().contextTokens());
        if (Importer.isReadyMade(request)) {
            variants.add(variant(imported, null));
        } else {
            for (Weights weights : Weights.values()) {
                evaluate(weights, imported);
            }
        }
        return new VariantReport(imported.id(), textTokens, window, stride(), variants);
    }

    /** Half a window: all but the first window's predictions look at half a window at least. */
    private int stride() {
        return Math.max(1, window / 2);
    }

    private void evaluate(Weights weights, Bundle imported) throws IOException, ImportException {
        if (weights == request.weights()) {
            variants.add(variant(imported, WeightErrors.of(request.source(), imported.folder())));
            return;
        }
        try (Scratch scratch = Scratch.beside(request.out(), "evaluating")) {
            Path out = scratch.folder().resolve(weights.label());
            ImportRequest variant = new ImportRequest(request.source(), out, weights, request.kv(), request.onnx());
            try (ProgressBar bar = ProgressBar.on(progress)) {
                new Importer().run(variant, ImportCommand.progress(bar, weights.label() + ": "));
            }
            variants.add(variant(Bundle.open(out), WeightErrors.of(request.source(), out)));
        }
    }

    private Variant variant(Bundle bundle, WeightErrors.@Nullable Report errors) throws IOException {
        String weights = bundle.manifest().weights();
        long bytes = bundle.manifest().files().values().stream()
                        .mapToLong(BundleFile::bytes)
                        .sum()
                + Files.size(bundle.file(BundleManifest.FILE_NAME));
        ModelSettings own =
                new ModelSettings(settings.memoryBudgetBytes(), ROWS, window, CHUNK, ROWS, settings.threads());
        long least = MemoryPlan.leastBytes(bundle, own, window);
        if (least > own.memoryBudgetBytes()) {
            String note = "not run: it needs " + Bytes.format(least) + " of memory, the budget is "
                    + Bytes.format(own.memoryBudgetBytes());
            return new Variant(weights, bytes, null, null, errors, note);
        }
        try (LoadedModel model = LoadedModel.open(bundle, own)) {
            Perplexity.Result result = perplexity(model, weights);
            return new Variant(weights, bytes, result.perplexity(), result.negativeLogLikelihood(), errors, null);
        }
    }

    private Perplexity.Result perplexity(LoadedModel model, String weights) {
        int[] tokens = text.tokens(model);
        textTokens = tokens.length;
        long fitting = model.memory().kvBudgetBytes() / model.runner().kvBytes(window);
        int rows = Math.clamp(fitting, 1, model.runner().slots());
        try (ProgressBar bar = ProgressBar.on(progress)) {
            return Perplexity.of(
                    model.runner(),
                    rows,
                    CHUNK,
                    tokens,
                    window,
                    stride(),
                    done -> bar.update(done, tokens.length - 1L, weights + ": perplexity"));
        }
    }
}
