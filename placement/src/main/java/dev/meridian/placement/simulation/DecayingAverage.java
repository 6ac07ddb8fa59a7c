package dev.meridian.placement.simulation;

/**
 * An average over the past that counts less the longer it is ago: of a level that jumps now and then, and of impulses, which are
 * events a second. After one half-life half of it is forgotten.
 */
final class DecayingAverage {
    private final double perMicro;
    private double value;
    private double level;
    private long at;

    DecayingAverage(long halfLifeMicros) {
        perMicro = StrictMath.log(2) / halfLifeMicros;
    }

    private void advance(long now) {
        if (now > at) {
            value = at(now);
            at = now;
        }
    }

    /** The level is higher by so much from now on. */
    void raise(long now, double by) {
        advance(now);
        level += by;
    }

    /** So many events now. */
    void count(long now, double events) {
        advance(now);
        value += events * perMicro * Moments.SECOND;
    }

    double at(long now) {
        return level + (value - level) * StrictMath.exp(-perMicro * (now - at));
    }
}
