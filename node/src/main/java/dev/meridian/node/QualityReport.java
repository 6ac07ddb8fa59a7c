package dev.meridian.node;

import dev.meridian.bench.Agreement;
import dev.meridian.bench.Evaluation;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code bench quality} found; docs/benchmarks.md says what each figure is.
 *
 * @param source the model's folder
 * @param predicted {@code text}, or {@code answers}: the right ones, each after its question
 * @param predictedTokens how many tokens of it were predicted; 0 where no variant was run
 * @param windowTokens of a text: the most tokens that a prediction could look at, itself counted
 * @param strideTokens of a text: between the beginnings of two windows
 * @param rows in the order in which they ran
 */
record QualityReport(
        String source,
        String predicted,
        int predictedTokens,
        @Nullable Integer windowTokens,
        @Nullable Integer strideTokens,
        List<Row> rows) {
    QualityReport {
        rows = List.copyOf(rows);
    }

    /**
     * One kind of weights with one kind of operators.
     *
     * @param operators {@code onnxruntime}, or the path of Meridian's own; {@code missing} where there are none
     * @param bytes of all files of the bundle
     * @param perplexity null where it was not run
     * @param negativeLogLikelihood its logarithm: nats a token
     * @param agreement with f32; null of f32 itself and where either was not run
     * @param answers null where no question was asked
     * @param note what was not run and why, null where all was
     */
    record Row(
            String weights,
            String operators,
            long bytes,
            @Nullable Double perplexity,
            @Nullable Double negativeLogLikelihood,
            @Nullable Agreement agreement,
            Evaluation.@Nullable Score answers,
            @Nullable String note) {}

    void print(PrintWriter out) {
        out.println(source + ": " + predictedTokens + " predicted tokens of the " + predicted
                + (windowTokens == null ? "" : ", windows of " + windowTokens + ", stride " + strideTokens)
                + ". Ratio, Top-1 and differences are beside f32.");
        out.println();
        boolean asked = rows.stream().anyMatch(row -> row.answers() != null);
        List<String> header = new ArrayList<>(
                List.of("Weights", "Operators", "Size", "Perplexity", "Ratio", "Top-1", "Mean diff.", "Greatest"));
        if (asked) {
            header.add("Answers");
        }
        Table table = new Table(header, 2, 3, 4, 5, 6, 7, 8);
        for (Row row : rows) {
            List<String> cells = new ArrayList<>(List.of(row.weights(), row.operators(), Bytes.format(row.bytes())));
            cells.add(row.perplexity() == null ? "-" : format("%.4f", row.perplexity()));
            cells.addAll(cells(row.agreement()));
            if (asked) {
                cells.add(row.answers() == null ? "-" : percent(row.answers().accuracy()));
            }
            table.row(cells);
        }
        table.print(out);
        for (Row row : rows) {
            if (row.note() != null) {
                out.println(row.weights() + ", " + row.operators() + ": " + row.note());
            }
        }
    }

    private static List<String> cells(@Nullable Agreement agreement) {
        return agreement == null
                ? List.of("-", "-", "-", "-")
                : List.of(
                        format("%.4f", agreement.perplexityRatio()),
                        percent(agreement.sameTop()),
                        format("%.4f", agreement.meanDifference()),
                        format("%.3f", agreement.greatestDifference()));
    }

    private static String percent(double share) {
        return format("%.2f %%", 100 * share);
    }

    private static String format(String form, double value) {
        return String.format(Locale.ROOT, form, value);
    }
}
