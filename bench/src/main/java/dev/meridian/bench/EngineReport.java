package dev.meridian.bench;

import java.io.PrintWriter;
import java.util.List;

/**
 * What {@code bench engine} found.
 *
 * @param firstLoadMillis the first load of the process: native libraries, and the file as the page cache had it
 * @param loadMillis the same load again: weights from a warm page cache, tokenizer, session
 * @param rssBytes resident memory of the process after the load; -1 where the system does not say
 * @param rssGrowthBytes how much of it the load brought
 * @param rows prefill first, then decode by batch size
 */
record EngineReport(
        String bundle,
        String weights,
        int threads,
        int promptTokens,
        int prefillChunk,
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
     * @param heapBytesPerToken allocated by the engine thread for each token
     */
    record Row(
            String name,
            int sequences,
            double bareTokensPerSecond,
            double engineTokensPerSecond,
            double ratio,
            double heapBytesPerToken) {}

    void print(PrintWriter out) {
        out.printf("%s, %s weights, %d threads, median of %d rounds%n", bundle, weights, threads, rounds);
        out.printf(
                "load %.0f ms (the first of the process %.0f ms), resident memory %s (the load brought %s)%n%n",
                loadMillis, firstLoadMillis, megabytes(rssBytes), megabytes(rssGrowthBytes));
        out.printf("%-24s %12s %12s %8s %14s%n", "", "bare tok/s", "engine tok/s", "ratio", "heap B/token");
        for (Row row : rows) {
            out.printf(
                    "%-24s %12.1f %12.1f %8.3f %14.0f%n",
                    row.name(),
                    row.bareTokensPerSecond(),
                    row.engineTokensPerSecond(),
                    row.ratio(),
                    row.heapBytesPerToken());
        }
    }

    private static String megabytes(long bytes) {
        return bytes < 0 ? "unknown" : Math.round(bytes / 1e6) + " MB";
    }
}
