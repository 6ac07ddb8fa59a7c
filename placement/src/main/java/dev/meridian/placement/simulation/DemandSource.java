package dev.meridian.placement.simulation;

import java.time.Duration;
import java.util.List;

/**
 * Users of a region.
 *
 * @param models that they ask for, by their weights; empty for all
 * @param prompt tokens, where the arrivals do not say
 * @param output tokens, where the arrivals do not say
 */
public record DemandSource(String region, Arrivals arrivals, List<String> models, Lengths prompt, Lengths output) {
    public DemandSource {
        models = List.copyOf(models);
    }

    /** When they ask. */
    public sealed interface Arrivals {}

    /** A Poisson process. */
    public record Constant(double perSecond) implements Arrivals {
        public Constant {
            requireRate(perSecond);
        }
    }

    /**
     * A Poisson process whose rate is a wave.
     *
     * @param perSecond its mean
     * @param amplitude 0 for none to 1 for a rate between 0 and twice its mean
     * @param peakAt the first peak after the scenario's begin
     */
    public record Wave(double perSecond, double amplitude, Duration period, Duration peakAt) implements Arrivals {
        public Wave {
            requireRate(perSecond);
            if (!(amplitude >= 0 && amplitude <= 1)) {
                throw new IllegalArgumentException("amplitude " + amplitude + ": expected 0 to 1");
            }
            if (!period.isPositive()) {
                throw new IllegalArgumentException("period: expected above 0");
            }
        }

        double rateAt(long micros) {
            double turns = (micros - Moments.micros(peakAt)) / (double) Moments.micros(period);
            return perSecond * (1 + amplitude * StrictMath.cos(2 * Math.PI * turns));
        }
    }

    /**
     * As in a trace, again and again.
     *
     * @param speed so many times as fast
     */
    public record Replay(Trace trace, double speed) implements Arrivals {
        public Replay {
            if (!(speed > 0) || !Double.isFinite(speed)) {
                throw new IllegalArgumentException("speed " + speed + ": expected above 0");
            }
        }
    }

    private static void requireRate(double perSecond) {
        if (!(perSecond > 0) || !Double.isFinite(perSecond)) {
            throw new IllegalArgumentException("requests-per-second " + perSecond + ": expected above 0");
        }
    }
}
