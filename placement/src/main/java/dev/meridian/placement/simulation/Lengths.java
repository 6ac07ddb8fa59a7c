package dev.meridian.placement.simulation;

import java.util.SplittableRandom;

/**
 * How many tokens: log-normally distributed.
 *
 * @param median at least 1
 * @param sigma standard deviation of the logarithm; 0 for always the median
 * @param most no draw is above
 */
public record Lengths(double median, double sigma, int most) {
    public Lengths {
        if (!(median >= 1) || !(sigma >= 0 && sigma <= 5) || !(most >= median)) {
            throw new IllegalArgumentException(
                    "expected a median of at least 1, a sigma of 0 to 5 and most of at least the median");
        }
    }

    public static Lengths fixed(int tokens) {
        return new Lengths(tokens, 0, tokens);
    }

    int draw(SplittableRandom random) {
        double drawn = sigma == 0 ? median : median * StrictMath.exp(sigma * gaussian(random));
        return Math.clamp(Math.round(drawn), 1, most);
    }

    /** Box and Muller, 1958, of functions that give the same bits on every machine. */
    private static double gaussian(SplittableRandom random) {
        double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
        return radius * StrictMath.cos(2 * Math.PI * random.nextDouble());
    }
}
