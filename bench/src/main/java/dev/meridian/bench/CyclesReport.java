package dev.meridian.bench;

import dev.meridian.bench.load.LineFit;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * What {@code bench cycles} found.
 *
 * @param skipped cycles at the begin that do not count: libraries, compiled code, pools that fill
 * @param fittedBytesPerCycle slope of the line of least squares through resident memory after each cycle that counts
 * @param meanBytesPerCycle the last one's less the first one's that counts, divided by the cycles between them
 * @param rssBytes resident memory after each cycle, those that do not count among them
 */
record CyclesReport(
        String bundle,
        String weights,
        int threads,
        int cycles,
        int skipped,
        double fittedBytesPerCycle,
        double meanBytesPerCycle,
        List<Long> rssBytes) {

    static CyclesReport of(String bundle, String weights, int threads, int skipped, List<Long> rssBytes) {
        List<Long> counted = rssBytes.subList(skipped - 1, rssBytes.size());
        double mean = (double) (counted.getLast() - counted.getFirst()) / (counted.size() - 1);
        double[] cycles = IntStream.range(0, counted.size()).asDoubleStream().toArray();
        double[] bytes = counted.stream().mapToDouble(Long::doubleValue).toArray();
        double slope = LineFit.of(cycles, bytes).slope();
        return new CyclesReport(bundle, weights, threads, rssBytes.size(), skipped, slope, mean, List.copyOf(rssBytes));
    }

    void print(PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s, %s weights, %d threads: %d cycles of load, generate and unload%n%n",
                bundle,
                weights,
                threads,
                cycles);
        out.printf(Locale.ROOT, "%8s %14s%n", "cycle", "resident MB");
        int every = Math.max(1, cycles / 20);
        for (int i = 0; i < cycles; i++) {
            if (i == 0 || (i + 1) % every == 0 || i == cycles - 1) {
                out.printf(Locale.ROOT, "%8d %14.1f%n", i + 1, rssBytes.get(i) / 1e6);
            }
        }
        out.printf(
                Locale.ROOT,
                "%nafter the first %d: %.3f MB a cycle by a fitted line, %.3f MB from the first to the last%n",
                skipped,
                fittedBytesPerCycle / 1e6,
                meanBytesPerCycle / 1e6);
    }
}
