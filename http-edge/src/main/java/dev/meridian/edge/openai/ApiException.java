package dev.meridian.edge.openai;

/**
 * Carries an {@link ApiError} out of a parser; it has no stack trace, because it speaks of the request and not of
 * code.
 */
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient ApiError error;

    public ApiException(ApiError error) {
        super(error.code(), null, false, false);
        this.error = error;
    }

    public static ApiException invalid(String code, String param, String message) {
        return new ApiException(ApiError.invalid(code, param, message));
    }

    public ApiError error() {
        return error;
    }
}
