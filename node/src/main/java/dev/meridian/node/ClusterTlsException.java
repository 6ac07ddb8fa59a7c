package dev.meridian.node;

import org.jspecify.annotations.Nullable;

/** A file of {@code meridian.cluster.tls} is not as it must be; the message names key, file and fault, and holds no secret. */
final class ClusterTlsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ClusterTlsException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
