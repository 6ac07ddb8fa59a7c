package dev.meridian.bench;

/** A measurement could not be made to its end; the message is the line that the user reads. */
public final class MeasurementFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public MeasurementFailed(String message) {
        super(message);
    }

    public MeasurementFailed(String message, Throwable cause) {
        super(message, cause);
    }
}
