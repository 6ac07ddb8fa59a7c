package dev.meridian.engine;

/**
 * Randomness without state: a draw is a function of (seed, choice, token index), so that a continuation on another engine
 * draws what the first engine would have drawn. The mixer is SplitMix64's finaliser (Steele, Lea and Flood 2014, with
 * Stafford's variant 13 constants), applied once per key word.
 */
final class CounterRandom {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
    private static final double TWO_POW_MINUS_53 = 0x1p-53;

    private CounterRandom() {}

    /** Uniform in [0, 1), 53 bits. */
    static double uniform(long seed, int choice, int tokenIndex) {
        long state = mix(seed + GOLDEN_GAMMA);
        state = mix((state ^ choice) + GOLDEN_GAMMA);
        state = mix((state ^ tokenIndex) + GOLDEN_GAMMA);
        return (state >>> 11) * TWO_POW_MINUS_53;
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
