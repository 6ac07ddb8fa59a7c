package dev.meridian.engine.template;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * What one rendering may take. A limit that is passed ends the rendering with a {@link TemplateException}.
 *
 * @param steps evaluated nodes, visited elements and, per 16 characters, texts made; it bounds memory as well, because
 *     nothing is made without paying steps
 * @param outputChars UTF-16 units of the rendering, and of any single text made on the way
 * @param depth nested evaluations: expressions, loops, macro calls, values inside values
 * @param time wall time by {@code nanoClock}
 * @param nanoClock a monotonic clock in nanoseconds, usually {@code System::nanoTime}
 */
public record TemplateLimits(long steps, int outputChars, int depth, Duration time, LongSupplier nanoClock) {
    public TemplateLimits {
        if (steps <= 0 || outputChars <= 0 || depth <= 0 || time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException("limits are positive");
        }
    }

    /** Room for prompts of a few million characters; a hostile template ends within two seconds. */
    public static TemplateLimits standard() {
        return new TemplateLimits(2_000_000, 4_000_000, 250, Duration.ofSeconds(2), System::nanoTime);
    }
}
