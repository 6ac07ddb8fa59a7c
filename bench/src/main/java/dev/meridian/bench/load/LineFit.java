package dev.meridian.bench.load;

/**
 * A straight line through points by least squares.
 *
 * @param slope in units of y for each unit of x
 * @param mean of y
 * @param residual standard deviation of the points around the line, in units of y
 * @param slopeError standard error of the slope, as if the points' deviations were independent
 */
public record LineFit(double slope, double mean, double residual, double slopeError) {
    /** Throws IllegalArgumentException for fewer than three points, or for points that all share one x. */
    public static LineFit of(double[] x, double[] y) {
        int n = x.length;
        if (n < 3 || y.length != n) {
            throw new IllegalArgumentException("a line's residual needs at least 3 points, not " + n);
        }
        double meanX = 0;
        double meanY = 0;
        for (int i = 0; i < n; i++) {
            meanX += x[i] / n;
            meanY += y[i] / n;
        }
        double xx = 0;
        double xy = 0;
        for (int i = 0; i < n; i++) {
            xx += (x[i] - meanX) * (x[i] - meanX);
            xy += (x[i] - meanX) * (y[i] - meanY);
        }
        if (xx == 0) {
            throw new IllegalArgumentException("all points have the same x");
        }
        double slope = xy / xx;
        double squares = 0;
        for (int i = 0; i < n; i++) {
            double off = y[i] - meanY - slope * (x[i] - meanX);
            squares += off * off;
        }
        double residual = Math.sqrt(squares / (n - 2));
        return new LineFit(slope, meanY, residual, residual / Math.sqrt(xx));
    }
}
