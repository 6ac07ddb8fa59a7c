package dev.meridian.edge;

/** The edge could not listen at an address: the port is taken, or the address is none of this machine's. */
public final class BindException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String host;
    private final int port;

    BindException(String host, int port, Throwable cause) {
        super("cannot listen at " + host + ":" + port + ": " + reason(cause), cause);
        this.host = host;
        this.port = port;
    }

    private static String reason(Throwable cause) {
        Throwable deepest = cause;
        while (deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        return deepest.getMessage() == null ? deepest.toString() : deepest.getMessage();
    }

    public String host() {
        return host;
    }

    public int port() {
        return port;
    }
}
