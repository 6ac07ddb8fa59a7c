package dev.meridian.edge.access;

import org.jspecify.annotations.Nullable;

/** Keys, certificates or addresses are not as they must be; the message is for the operator and holds no secret. */
public final class AccessException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    AccessException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
