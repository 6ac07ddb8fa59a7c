package dev.meridian.bench;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code bench engine} found.
 *
 * @param kernels the code that multiplied, such as {@code avx512vnni}; null for ONNX Runtime's
 * @param threads of a forward pass
 * @param promptTokens length of the prompt whose prefill was measured
 * @param prefillChunk prompt tokens of one forward pass
 * @param decodeContextTokens filled positions of a sequence when its decoding began
 * @param decodeTokens tokens that each sequence decoded
 * @param rounds how often each was measured
 * @param firstLoadMillis the first load of the process: native libraries, and the file as the page cache had it
 * @param loadMillis the same load again: weights from a warm page cache, tokenizer, session
 * @param rssBytes resident memory of the process after the load; -1 where the system does not say
 * @param rssGrowthBytes how much of it the load brought
 * @param rows prefill first, then decode by batch size
 */
record EngineReport(
        String bundle,
        String weights,
        @Nullable String kernels,
        int threads,
        int promptTokens,
        int prefillChunk,
        int decodeContextTokens,
        int decodeTokens,
        int rounds,
        double firstLoadMillis,
        double loadMillis,
        long rssBytes,
        long rssGrowthBytes,
        List<Row> rows) {

    /**
     * Medians over the rounds, in tokens a second.
     *
     * @param ratio median over the rounds of engine / bare
     * @param heapBytesPerToken allocated by the engine thread for each token; null where it is not measured
     */
    record Row(
            String name,
            int sequences,
            double bareTokensPerSecond,
            double engineTokensPerSecond,
            double ratio,
            @Nullable Double heapBytesPerToken) {}

    void print(PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s, %s weights, %s, %d threads, median of %d rounds%n",
                bundle,
                weights,
                kernels == null ? "ONNX Runtime's kernels" : "kernels " + kernels,
                threads,
                rounds);
        out.printf(
                Locale.ROOT,
                "load %.0f ms (the first of the process %.0f ms), resident memory %s (the load brought %s)%n%n",
                loadMillis,
                firstLoadMillis,
                megabytes(rssBytes),
                megabytes(rssGrowthBytes));
        out.printf(
                Locale.ROOT, "%-24s %12s %12s %8s %14s%n", "", "bare tok/s", "engine tok/s", "ratio", "heap B/token");
        for (Row row : rows) {
            out.printf(
                    Locale.ROOT,
                    "%-24s %12.1f %12.1f %8.3f %14s%n",
                    row.name(),
                    row.bareTokensPerSecond(),
                    row.engineTokensPerSecond(),
                    row.ratio(),
                    wholeBytes(row.heapBytesPerToken()));
        }
    }

    private static String wholeBytes(@Nullable Double bytes) {
        return bytes == null ? "-" : Long.toString(Math.round(bytes));
    }

    private static String megabytes(long bytes) {
        return bytes < 0 ? "unknown" : Math.round(bytes / 1e6) + " MB";
    }
}
