package dev.meridian.edge.stream;

/**
 * When a producer last spoke and when its engine last moved. Owned by the mux actor; times in nanoseconds of its
 * clock.
 */
final class ProducerPulse {
    private long step = Long.MIN_VALUE;
    private long steppedAt;
    private long heardAt;

    ProducerPulse(long now) {
        steppedAt = now;
        heardAt = now;
    }

    void hear(long newStep, long now) {
        heardAt = now;
        if (newStep != step) {
            step = newStep;
            steppedAt = now;
        }
    }

    /** The step number's last change; an idle engine's is old and means nothing. */
    long steppedAt() {
        return steppedAt;
    }

    long heardAt() {
        return heardAt;
    }
}
