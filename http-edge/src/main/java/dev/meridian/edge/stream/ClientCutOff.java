package dev.meridian.edge.stream;

/** Ends the connection of a client that does not read. */
public final class ClientCutOff extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient StreamFailure reason;

    public ClientCutOff(StreamFailure reason) {
        super("the client is cut off: " + reason);
        this.reason = reason;
    }

    public StreamFailure reason() {
        return reason;
    }
}
