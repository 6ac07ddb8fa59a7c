package dev.meridian.edge.stream;

import org.jspecify.annotations.Nullable;

/** What one client reads of a stream, and how it hears that there is more. */
public interface JournalReader {
    /** What has arrived since the last read, in pieces; the end comes with the last entries, and both may be absent. */
    JournalRead take();

    /** Names who is told that there is something to take, from any thread: it must not block. */
    void onReady(Runnable newReader);

    /** Why this client shall be given up, or null. */
    @Nullable
    StreamFailure cutReason();

    /** Its client will read no more. */
    void discard();
}
