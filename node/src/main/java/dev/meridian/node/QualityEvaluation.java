package dev.meridian.node;

import dev.meridian.bench.Agreement;
import dev.meridian.bench.Evaluation;
import dev.meridian.bench.Perplexity;
import dev.meridian.bench.Predictions;
import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.KvType;
import dev.meridian.builder.quant.Weights;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.ModelSettings.Kernels;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.kernels.KernelLibrary;
import dev.meridian.node.QualityReport.Row;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Compares what a model foresees, and answers, with each kind of weights and, where the weights are packed, with Meridian's
 * operators and without. Each kind is made in a folder for temporary files that is gone before the next is made, when
 * anything fails, and when the process is told to stop. One thread; good for one run.
 */
final class QualityEvaluation {
    private static final String ONNX_RUNTIME = "onnxruntime";
    private static final String BUNDLE = ": a bundle; variants are made of the folder that it was imported from";
    private static final String READY_MADE =
            ": a ready-made graph is imported as it is, there are no variants to compare";

    private final Path source;
    private final TextRun textRun;
    private final @Nullable QuestionRun questionRun;
    private final PrintWriter progress;
    private final List<Row> rows = new ArrayList<>();
    private @Nullable Predictions reference;
    private int predictedTokens;
    private int window;

    /**
     * An evaluation of a model folder.
     *
     * @param textRun whose text or answers are foreseen; which operators it names does not matter
     * @param questionRun null where nothing is asked
     * @param progress where the bars of the imports go
     */
    QualityEvaluation(Path source, TextRun textRun, @Nullable QuestionRun questionRun, PrintWriter progress) {
        this.source = source;
        this.textRun = textRun;
        this.questionRun = questionRun;
        this.progress = progress;
    }

    /** Throws CommandFailed where the folder holds a ready-made graph, of which there are no variants. */
    QualityReport run() throws IOException, ImportException, InterruptedException {
        if (Importer.isReadyMade(request(Weights.F32, source))) {
            throw new CommandFailed(
                    source + (Files.exists(source.resolve(BundleManifest.FILE_NAME)) ? BUNDLE : READY_MADE));
        }
        // The order matters: f32 is what the others are compared with.
        for (Weights weights : List.of(Weights.F32, Weights.F16, Weights.INT8, Weights.INT4)) {
            try (Scratch scratch = Scratch.create("meridian-quality")) {
                Path out = scratch.folder().resolve(weights.label());
                compare(Variants.make(request(weights, out), progress));
            }
        }
        return switch (textRun.subject()) {
            case EvalText _ ->
                new QualityReport(
                        source.toString(), "text", predictedTokens, window, EvalText.strideTokens(window), rows);
            case EvalAnswers _ -> new QualityReport(source.toString(), "answers", predictedTokens, null, null, rows);
        };
    }

    private ImportRequest request(Weights weights, Path out) {
        return new ImportRequest(source, out, weights, KvType.F32);
    }

    private void compare(Bundle bundle) throws IOException, InterruptedException {
        window = TextRun.windowTokens(bundle.manifest());
        rows.add(row(bundle, Kernels.OFF, ONNX_RUNTIME));
        if (bundle.manifest().packing() == null) {
            return;
        }
        rows.add(
                switch (KernelLibrary.ofProcess()) {
                    case KernelLibrary.Available it -> row(bundle, Kernels.AUTO, it.path());
                    case KernelLibrary.Unavailable it ->
                        new Row(
                                bundle.manifest().weights(),
                                "missing",
                                Variants.bytes(bundle),
                                null,
                                null,
                                null,
                                null,
                                "not run: " + it.detail());
                });
    }

    private Row row(Bundle bundle, Kernels kernels, String operators) throws IOException, InterruptedException {
        String weights = bundle.manifest().weights();
        long bytes = Variants.bytes(bundle);
        String label = weights + ", " + operators;
        return switch (textRun.withKernels(kernels).run(bundle, label)) {
            case TextRun.NotRun(String why) -> new Row(weights, operators, bytes, null, null, null, null, why);
            case TextRun.Measured(Perplexity.Result result) -> {
                predictedTokens = result.predictedTokens();
                Agreement agreement = agreement(weights, result.predictions());
                Answers answers = answers(bundle, kernels, label);
                yield new Row(
                        weights,
                        operators,
                        bytes,
                        result.perplexity(),
                        result.negativeLogLikelihood(),
                        agreement,
                        answers.score(),
                        answers.note());
            }
        };
    }

    /** Null of f32, which becomes the reference, and where f32 was not run. */
    private @Nullable Agreement agreement(String weights, Predictions predictions) {
        if (weights.equals(Weights.F32.label())) {
            reference = predictions;
            return null;
        }
        return reference == null ? null : Agreement.of(reference, predictions);
    }

    /** A score, or why there is none; neither where nothing is asked. */
    private record Answers(
            Evaluation.@Nullable Score score, @Nullable String note) {}

    private Answers answers(Bundle bundle, Kernels kernels, String label) throws InterruptedException {
        if (questionRun == null) {
            return new Answers(null, null);
        }
        QuestionRun run = questionRun.withKernels(kernels);
        ModelSettings settings = run.settings();
        int least = Math.min(
                settings.prefillChunk(),
                Math.min(settings.contextTokens(), bundle.manifest().shape().contextTokens()));
        Optional<String> lack = TextRun.lack(bundle, settings, least);
        return lack.isPresent()
                ? new Answers(null, "questions not asked: " + lack.get())
                : new Answers(run.run(bundle, label).all(), null);
    }
}
