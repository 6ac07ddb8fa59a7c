package dev.meridian.engine.template;

/** What is left of a rendering's limits. One thread. */
final class Budget {
    private static final int CHARS_PER_STEP = 16;
    private static final int STEPS_PER_CLOCK_LOOK = 1024;

    private final TemplateLimits limits;
    private final long startedNanos;
    private long steps;
    private long nextClockLook;
    private int depth;

    Budget(TemplateLimits limits) {
        this.limits = limits;
        this.startedNanos = limits.nanoClock().getAsLong();
    }

    /** Pays for visiting {@code count} things. */
    void charge(long count) {
        steps += count;
        if (steps > limits.steps()) {
            throw new TemplateException("the template took more than " + limits.steps() + " steps");
        }
        if (steps >= nextClockLook) {
            nextClockLook = steps + STEPS_PER_CLOCK_LOOK;
            if (limits.nanoClock().getAsLong() - startedNanos > limits.time().toNanos()) {
                throw new TemplateException(
                        "the template took longer than " + limits.time().toMillis() + " ms");
            }
        }
    }

    /** Pays for a text of {@code chars} UTF-16 units before it is made. */
    void chargeText(long chars) {
        checkSize(chars);
        charge(1 + chars / CHARS_PER_STEP);
    }

    /** Refuses a text that is longer than a rendering may be. */
    void checkSize(long chars) {
        if (chars > limits.outputChars()) {
            throw new TemplateException(
                    "the template made a text of more than " + limits.outputChars() + " characters");
        }
    }

    void enter() {
        if (++depth > limits.depth()) {
            throw new TemplateException("the template nests deeper than " + limits.depth());
        }
        charge(1);
    }

    void leave() {
        depth--;
    }
}
