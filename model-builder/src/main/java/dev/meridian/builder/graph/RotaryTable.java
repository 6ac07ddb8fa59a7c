package dev.meridian.builder.graph;

import dev.meridian.builder.source.RopeScaling;

/**
 * Cosines and sines of rotary positions, {@code [position, headDim / 2]} float32 each. Frequencies and angles are
 * rounded to float32 as the models' own code does, for that is what they were trained with. Source of llama3 scaling:
 * Hugging Face transformers, {@code modeling_rope_utils}, as published with Llama 3.1.
 */
public final class RotaryTable {
    private final float[] frequencies;
    private final int positions;
    private final Region cosines;
    private final Region sines;

    /**
     * A table.
     *
     * @param frequencies radians per position, one for each pair of dimensions; not copied
     */
    RotaryTable(float[] frequencies, int positions, Region cosines, Region sines) {
        this.frequencies = frequencies;
        this.positions = positions;
        this.cosines = cosines;
        this.sines = sines;
    }

    /** Rows of the tables. */
    public int positions() {
        return positions;
    }

    /** Columns of the tables. */
    public int width() {
        return frequencies.length;
    }

    public Region cosines() {
        return cosines;
    }

    public Region sines() {
        return sines;
    }

    static float[] frequencies(int headDim, double theta, RopeScaling scaling) {
        float[] frequencies = new float[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double plain = 1 / Math.pow(theta, 2.0 * i / headDim);
            frequencies[i] = (float)
                    switch (scaling) {
                        case RopeScaling.None _ -> plain;
                        case RopeScaling.Linear linear -> plain / linear.factor();
                        case RopeScaling.Llama3 llama3 -> llama3(plain, llama3);
                    };
        }
        return frequencies;
    }

    private static double llama3(double plain, RopeScaling.Llama3 scaling) {
        double wavelength = 2 * Math.PI / plain;
        if (wavelength < scaling.originalContext() / scaling.highFreqFactor()) {
            return plain;
        }
        if (wavelength > scaling.originalContext() / scaling.lowFreqFactor()) {
            return plain / scaling.factor();
        }
        double ramp = (scaling.originalContext() / wavelength - scaling.lowFreqFactor())
                / (scaling.highFreqFactor() - scaling.lowFreqFactor());
        return (1 - ramp) * plain / scaling.factor() + ramp * plain;
    }

    /** Writes the row of one position into both arrays, from {@code at} on. */
    public void row(int position, float[] cosinesInto, float[] sinesInto, int at) {
        for (int i = 0; i < frequencies.length; i++) {
            float angle = position * frequencies[i];
            cosinesInto[at + i] = (float) Math.cos(angle);
            sinesInto[at + i] = (float) Math.sin(angle);
        }
    }
}
