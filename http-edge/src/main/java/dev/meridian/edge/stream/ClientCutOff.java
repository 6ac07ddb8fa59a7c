package dev.meridian.edge.stream;

/** Ends the connection of a client that does not read. */
public final class ClientCutOff extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient StreamFailure reason;

    public ClientCutOff(StreamFailure reason) {
        // Without a stack: Pekko logs it, and it says nothing of any place in the code.
        super("the client is cut off: " + reason, null, false, false);
        this.reason = reason;
    }

    public StreamFailure reason() {
        return reason;
    }
}
