package dev.meridian.bench.soak;

import dev.meridian.bench.load.LineFit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * Whether a quantity grew: a straight line by least squares through its samples, without the first tenth of the run.
 *
 * @param quantity what was sampled
 * @param samples that the line goes through
 * @param slopePerHour of the line, in units of the quantity
 * @param residual standard deviation of the samples around the line
 * @param slopeError standard error of the slope per hour
 * @param grows the slope is more than three standard errors above 0, and in an hour more than a hundredth of the mean; of
 *     counts more than 1
 */
record Growth(
        String quantity,
        int samples,
        double mean,
        double slopePerHour,
        double residual,
        double slopeError,
        boolean grows) {
    private static final double SKIPPED = 0.1;
    private static final double ERRORS = 3;
    private static final double ALLOWED = 0.01;

    /** The quantities of the verdict. One with fewer than three samples is left out. */
    static List<Growth> of(List<Sample> samples) {
        List<Growth> all = new ArrayList<>();
        add(all, "residentBytes", samples, _ -> true, Sample::residentBytes);
        add(all, "heapAfterYoungBytes", samples, sample -> !sample.collected(), Sample::heapAfterYoungBytes);
        add(all, "heapAfterFullBytes", samples, Sample::collected, Sample::heapAfterFullBytes);
        add(all, "directBytes", samples, _ -> true, Sample::directBytes);
        add(all, "openFiles", samples, _ -> true, Sample::openFiles);
        add(all, "threads", samples, _ -> true, Sample::threads);
        add(all, "processThreads", samples, _ -> true, Sample::processThreads);
        return all;
    }

    private static void add(
            List<Growth> all,
            String quantity,
            List<Sample> samples,
            Predicate<Sample> counts,
            ToDoubleFunction<Sample> value) {
        double from = samples.isEmpty() ? 0 : SKIPPED * samples.getLast().seconds();
        List<Sample> used = samples.stream()
                .filter(sample -> sample.seconds() >= from)
                .filter(counts)
                .filter(sample -> !Double.isNaN(value.applyAsDouble(sample)))
                .toList();
        if (used.size() >= 3) {
            LineFit fit = LineFit.of(
                    used.stream().mapToDouble(sample -> sample.seconds() / 3600).toArray(),
                    used.stream().mapToDouble(value).toArray());
            all.add(of(quantity, used.size(), fit));
        }
    }

    private static Growth of(String quantity, int samples, LineFit fit) {
        double allowed = quantity.endsWith("Bytes") ? ALLOWED * fit.mean() : 1;
        boolean grows = fit.slope() > ERRORS * fit.slopeError() && fit.slope() > allowed;
        return new Growth(quantity, samples, fit.mean(), fit.slope(), fit.residual(), fit.slopeError(), grows);
    }
}
