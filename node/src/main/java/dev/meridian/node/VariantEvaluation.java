package dev.meridian.node;

import dev.meridian.bench.Perplexity;
import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.WeightErrors;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.node.VariantReport.Variant;
import java.io.IOException;
import java.io.PrintWriter;
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
    private final ImportRequest request;
    private final TextRun textRun;
    private final PrintWriter progress;
    private final List<Variant> variants = new ArrayList<>();
    private int textTokens;

    /**
     * An evaluation of what was imported.
     *
     * @param request which has been done: its bundle is there
     * @param settings of which the memory budget, the threads and the operators count
     * @param progress where its bars go
     */
    VariantEvaluation(ImportRequest request, EvalText text, ModelSettings settings, PrintWriter progress) {
        this.request = request;
        this.textRun = new TextRun(text, settings, progress);
        this.progress = progress;
    }

    VariantReport run() throws IOException, ImportException {
        Bundle imported = Bundle.open(request.out());
        int window = TextRun.windowTokens(imported.manifest());
        if (Importer.isReadyMade(request)) {
            variants.add(variant(imported, null));
        } else {
            for (Weights weights : Weights.values()) {
                evaluate(weights, imported);
            }
        }
        return new VariantReport(imported.id(), textTokens, window, EvalText.strideTokens(window), variants);
    }

    private void evaluate(Weights weights, Bundle imported) throws IOException, ImportException {
        if (weights == request.weights()) {
            variants.add(variant(imported, WeightErrors.of(request.source(), imported.folder())));
            return;
        }
        try (Scratch scratch = Scratch.beside(request.out(), "evaluating")) {
            Path out = scratch.folder().resolve(weights.label());
            Bundle made = Variants.make(
                    new ImportRequest(request.source(), out, weights, request.kv(), request.onnx()), progress);
            variants.add(variant(made, WeightErrors.of(request.source(), out)));
        }
    }

    private Variant variant(Bundle bundle, WeightErrors.@Nullable Report errors) throws IOException {
        String weights = bundle.manifest().weights();
        long bytes = Variants.bytes(bundle);
        return switch (textRun.run(bundle, weights)) {
            case TextRun.NotRun(String why) -> new Variant(weights, bytes, null, null, errors, why);
            case TextRun.Measured(Perplexity.Result result) -> {
                textTokens = result.predictedTokens() + 1;
                yield new Variant(weights, bytes, result.perplexity(), result.negativeLogLikelihood(), errors, null);
            }
        };
    }
}
