package dev.meridian.bench;

import java.io.PrintWriter;
import java.util.Locale;

/**
 * What {@code bench interference} found.
 *
 * @param stepStretch the setting of that name
 * @param idle gaps between the tokens of the streams by themselves, before and after
 * @param loaded gaps while prompts run
 * @param p99Ratio loaded / idle
 * @param promptTokensPerSecond beside the streams
 * @param alonePromptTokensPerSecond while nothing decodes
 */
record InterferenceReport(
        String bundle,
        String weights,
        int threads,
        int streams,
        int promptTokens,
        int prompts,
        int prefillChunk,
        double stepStretch,
        Gaps.Summary idle,
        Gaps.Summary loaded,
        double p99Ratio,
        double promptTokensPerSecond,
        double alonePromptTokensPerSecond) {

    void print(PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s, %s weights, %d threads: %d streams, %d prompts of %d tokens, chunks of at most %d, stretch %.2f%n%n",
                bundle,
                weights,
                threads,
                streams,
                prompts,
                promptTokens,
                prefillChunk,
                stepStretch);
        out.printf(Locale.ROOT, "%-24s %10s %10s %10s %10s%n", "gap between tokens, ms", "p50", "p99", "max", "gaps");
        row(out, "streams alone", idle);
        row(out, "while prompts run", loaded);
        out.printf(Locale.ROOT, "%nratio of the p99: %.2f%n", p99Ratio);
        out.printf(
                Locale.ROOT,
                "prefill: %.1f tok/s beside the streams, %.1f tok/s alone%n",
                promptTokensPerSecond,
                alonePromptTokensPerSecond);
    }

    private static void row(PrintWriter out, String name, Gaps.Summary gaps) {
        out.printf(
                Locale.ROOT,
                "%-24s %10.2f %10.2f %10.2f %10d%n",
                name,
                gaps.p50Millis(),
                gaps.p99Millis(),
                gaps.maxMillis(),
                gaps.gaps());
    }
}
