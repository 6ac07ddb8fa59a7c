package dev.meridian.edge;

/** How far an edge has got with stopping; it only goes forward. Thread-safe. */
final class Lifecycle {
    private volatile boolean leaving;
    private volatile boolean refusing;

    /** From now on readiness says so; requests are still served. */
    void leave() {
        leaving = true;
    }

    /** From now on new requests are refused. */
    void refuse() {
        leaving = true;
        refusing = true;
    }

    boolean isLeaving() {
        return leaving;
    }

    boolean isRefusing() {
        return refusing;
    }
}
