package dev.meridian.bench;

import dev.meridian.engine.Engine;
import dev.meridian.engine.EngineStats;
import java.time.Duration;

/** Ends the wait for an engine that makes no step. One thread. */
final class Patience {
    /** A step of the slowest model on the slowest machine takes seconds. */
    static final Duration STANDARD = Duration.ofMinutes(5);

    private final Engine engine;
    private final Duration limit;
    private long lastStep;
    private long sinceNanos;

    Patience(Engine engine, Duration limit) {
        this.engine = engine;
        this.limit = limit;
        lastStep = engine.stats().step();
        sinceNanos = System.nanoTime();
    }

    /** Throws MeasurementFailed, with the engine's state, once there was no step for the limit. */
    void check(String awaited) {
        EngineStats stats = engine.stats();
        long now = System.nanoTime();
        if (stats.step() != lastStep) {
            lastStep = stats.step();
            sinceNanos = now;
        } else if (now - sinceNanos > limit.toNanos()) {
            throw new MeasurementFailed(
                    "waited for " + awaited + "; the engine made no step for " + limit.toSeconds() + " s: " + stats);
        }
    }
}
