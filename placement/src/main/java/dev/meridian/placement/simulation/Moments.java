package dev.meridian.placement.simulation;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Virtual time: microseconds since the scenario's begin. */
final class Moments {
    static final long SECOND = TimeUnit.SECONDS.toMicros(1);
    static final long MILLI = TimeUnit.MILLISECONDS.toMicros(1);

    private Moments() {}

    static long micros(Duration duration) {
        return TimeUnit.MICROSECONDS.convert(duration);
    }
}
