package dev.meridian.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.builder.WeightErrors;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What {@code import --eval-text} found; docs/models.md says what each figure is.
 *
 * @param bundle the imported bundle's id
 * @param textTokens tokens of the text that were run
 * @param windowTokens the most tokens that a prediction could look at, itself counted
 * @param strideTokens between the beginnings of two windows
 */
record VariantReport(String bundle, int textTokens, int windowTokens, int strideTokens, List<Variant> variants) {
    VariantReport {
        variants = List.copyOf(variants);
    }

    /**
     * One kind of weights.
     *
     * @param bytes of all files of the bundle
     * @param perplexity null where the model was not run
     * @param negativeLogLikelihood its logarithm: nats a token
     * @param errors null of a ready-made graph, of which nothing was converted
     * @param note why it was not run, null where it was
     */
    record Variant(
            String weights,
            long bytes,
            @Nullable Double perplexity,
            @Nullable Double negativeLogLikelihood,
            WeightErrors.@Nullable Report errors,
            @Nullable String note) {}

    void printJson(PrintWriter out) throws JsonProcessingException {
        out.println(JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(this));
    }

    void print(PrintWriter out) {
        out.println("Perplexity of " + textTokens + " tokens, windows of " + windowTokens + ", stride " + strideTokens
                + ". Errors are relative to the checkpoint's weights.");
        out.println();
        Table table = new Table(List.of("Weights", "Size", "Perplexity", "Error", "Worst", "Worst matrix"), 1, 2, 3, 4);
        for (Variant variant : variants) {
            List<String> row = new ArrayList<>(List.of(variant.weights(), Bytes.format(variant.bytes())));
            row.add(variant.perplexity() == null ? "-" : String.format(Locale.ROOT, "%.4f", variant.perplexity()));
            row.addAll(errors(variant.errors()));
            table.row(row);
        }
        table.print(out);
        for (Variant variant : variants) {
            if (variant.note() != null) {
                out.println(variant.weights() + ": " + variant.note());
            }
        }
        printLayers(out);
    }

    private static List<String> errors(WeightErrors.@Nullable Report errors) {
        if (errors == null) {
            return List.of("-", "-", "-");
        }
        WeightErrors.Layer worst = errors.layers().stream()
                .max(java.util.Comparator.comparingDouble(WeightErrors.Layer::worstError))
                .orElseThrow();
        boolean exact = worst.worstError() == 0;
        return List.of(number(errors.error()), number(worst.worstError()), exact ? "-" : worst.worst());
    }

    private void printLayers(PrintWriter out) {
        List<Variant> compared =
                variants.stream().filter(variant -> variant.errors() != null).toList();
        if (compared.isEmpty()) {
            return;
        }
        out.println();
        List<String> header = new ArrayList<>(List.of("Layer"));
        compared.forEach(variant -> header.add(variant.weights()));
        Table table = new Table(
                header, IntStream.rangeClosed(1, compared.size()).boxed().toArray(Integer[]::new));
        List<List<WeightErrors.Layer>> columns =
                compared.stream().map(VariantReport::layers).toList();
        for (int i = 0; i < columns.getFirst().size(); i++) {
            int layer = i;
            List<String> row = new ArrayList<>(List.of(columns.getFirst().get(i).layer()));
            columns.forEach(column -> row.add(number(column.get(layer).error())));
            table.row(row);
        }
        table.print(out);
    }

    private static List<WeightErrors.Layer> layers(Variant variant) {
        WeightErrors.Report errors = variant.errors();
        return errors == null ? List.of() : errors.layers();
    }

    private static String number(double error) {
        return error == 0 ? "0" : String.format(Locale.ROOT, "%.3g", error);
    }
}
