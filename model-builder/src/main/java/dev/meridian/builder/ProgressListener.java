package dev.meridian.builder;

/** Hears how far an import has come. Called by one thread at a time, not always the same one; must return quickly. */
@FunctionalInterface
public interface ProgressListener {
    /** {@code doneBytes} of {@code totalBytes} of a phase are done; each phase ends with the two being equal. */
    void progress(Phase phase, long doneBytes, long totalBytes);

    /** The phases in their order. */
    enum Phase {
        /** Weights are read, quantised and written. */
        WEIGHTS,
        /** The source files' digests are computed. */
        SOURCE_DIGEST,
        /** The bundle's digests are computed. */
        BUNDLE_DIGEST
    }

    static ProgressListener none() {
        return (_, _, _) -> {};
    }
}
