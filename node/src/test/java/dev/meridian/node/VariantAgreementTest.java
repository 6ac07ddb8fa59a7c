package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.bench.Agreement;
import dev.meridian.bench.Predictions;
import dev.meridian.bench.Question;
import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.KvType;
import dev.meridian.builder.quant.Weights;
import dev.meridian.engine.ModelSettings;
import dev.meridian.engine.ModelSettings.Kernels;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.kernels.KernelLibrary;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Variants of real models foresee what f32 does, with ONNX Runtime's operators and with Meridian's. Bounds stand some way off
 * what docs/benchmarks.md tells of AVX-512, because operators of other processors round otherwise.
 */
@Timeout(120)
final class VariantAgreementTest {
    private static final Path ROOT = Path.of(System.getProperty("meridian.root"));
    private static final Path ATLAS = ROOT.resolve("models/atlas-src");
    private static final Path TINY_STORIES = ROOT.resolve("../shared/assets/llm/TinyStories-656K");
    private static final int EVERY = 20;
    private static final int MOST_TOKENS = 1024;
    private static final PrintWriter SILENT = new PrintWriter(Writer.nullWriter());

    @TempDir
    private Path scratch;

    /** What is foreseen, and how far the variants may be from f32. */
    private record Case(String name, EvalSubject subject, Bound int8, Bound int4) {
        Bound of(Weights weights) {
            return switch (weights) {
                case INT8 -> int8;
                case INT4 -> int4;
                case F16, F32 -> EXACT;
            };
        }
    }

    /** The least share of equal likeliest tokens; the most that the perplexity's ratio is off 1; the most mean difference. */
    private record Bound(double sameTop, double ratio, double meanDifference) {}

    private static final Bound EXACT = new Bound(0.999, 1e-3, 1e-3);

    @Test
    void atlasForeseesRightAnswersAsF32Does() throws Exception {
        Path file = ATLAS.resolve("questions.jsonl");
        List<Question> all = Question.read(file);
        List<Question> some = IntStream.range(0, all.size())
                .filter(i -> i % EVERY == 0)
                .mapToObj(all::get)
                .toList();
        requireAgreement(
                ATLAS.resolve("checkpoint"),
                new Case(
                        "answers",
                        new EvalAnswers(file, some),
                        new Bound(0.997, 0.002, 0.002),
                        new Bound(0.99, 0.01, 0.006)));
    }

    @Test
    void tinyStoriesTellsStoriesAsF32Does() throws Exception {
        Assumptions.assumeTrue(Files.isDirectory(TINY_STORIES), "shared assets are not beside this checkout");
        requireAgreement(
                TINY_STORIES,
                new Case(
                        "stories",
                        EvalText.read(ROOT.resolve("node/src/test/resources/stories.txt"), MOST_TOKENS),
                        new Bound(0.96, 0.01, 0.05),
                        new Bound(0.72, 0.15, 0.45)));
    }

    private void requireAgreement(Path source, Case foreseen) throws Exception {
        Predictions expected = foreseen(made(source, Weights.F32), foreseen, Kernels.OFF);
        for (Weights weights : List.of(Weights.F16, Weights.INT8, Weights.INT4)) {
            Bundle bundle = made(source, weights);
            for (Kernels kernels : operators(bundle)) {
                requireWithin(
                        foreseen.of(weights),
                        Agreement.of(expected, foreseen(bundle, foreseen, kernels)),
                        foreseen.name() + ", " + weights + ", kernels " + kernels);
            }
        }
    }

    private Bundle made(Path source, Weights weights) throws Exception {
        Path out = scratch.resolve(weights.label());
        return Variants.make(new ImportRequest(source, out, weights, KvType.F32), SILENT);
    }

    private static List<Kernels> operators(Bundle bundle) {
        boolean packed = bundle.manifest().packing() != null;
        return packed && KernelLibrary.ofProcess() instanceof KernelLibrary.Available
                ? List.of(Kernels.OFF, Kernels.AUTO)
                : List.of(Kernels.OFF);
    }

    private static Predictions foreseen(Bundle bundle, Case each, Kernels kernels) {
        ModelSettings settings = NodeSettings.load(null, Map.of()).models().withKernels(kernels);
        return switch (new TextRun(each.subject(), settings, SILENT).run(bundle, each.name())) {
            case TextRun.Measured(var result) -> result.predictions();
            case TextRun.NotRun(String why) -> throw new AssertionError(why);
        };
    }

    private static void requireWithin(Bound bound, Agreement agreement, String what) {
        String whole = what + ": " + agreement;
        assertThat(agreement.sameTop()).as(whole).isGreaterThanOrEqualTo(bound.sameTop());
        assertThat(agreement.perplexityRatio()).as(whole).isCloseTo(1, within(bound.ratio()));
        assertThat(agreement.meanDifference()).as(whole).isLessThanOrEqualTo(bound.meanDifference());
    }
}
