package dev.meridian.builder.source;

/** How rotary positions are stretched beyond the context of the first training; field names as in config.json. */
public sealed interface RopeScaling {
    /** Positions as they are. */
    record None() implements RopeScaling {}

    /** Every position divided by {@code factor}. */
    record Linear(double factor) implements RopeScaling {}

    /** Llama 3.1: long wavelengths divided by {@code factor}, short ones kept, a ramp between them. */
    record Llama3(double factor, double lowFreqFactor, double highFreqFactor, double originalContext)
            implements RopeScaling {}
}
