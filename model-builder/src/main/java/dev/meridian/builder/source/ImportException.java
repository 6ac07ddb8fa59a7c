package dev.meridian.builder.source;

/** A model that cannot be imported; the message names the file and what is wrong with it, in words for a person. */
public final class ImportException extends Exception {
    private static final long serialVersionUID = 1L;

    public ImportException(String message) {
        super(message);
    }

    public ImportException(String message, Throwable cause) {
        super(message, cause);
    }
}
