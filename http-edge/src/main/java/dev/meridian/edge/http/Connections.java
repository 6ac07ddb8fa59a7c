package dev.meridian.edge.http;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;

/**
 * The open connections of one port, so that they can be closed without cutting off a reply's last bytes, which Pekko's
 * own termination does. Thread-safe.
 */
public final class Connections {
    private final Set<Runnable> closers = ConcurrentHashMap.newKeySet();
    private final CompletableFuture<Done> allClosed = new CompletableFuture<>();
    private volatile boolean leaving;
    private volatile boolean closing;

    /** A connection opened; {@code closer} asks it to close when its requests are answered, from any thread. */
    void opened(Runnable closer) {
        closers.add(closer);
        if (closing) {
            closer.run();
        }
    }

    void closed(Runnable closer) {
        closers.remove(closer);
        completeIfEmpty();
    }

    /** From now on each reply is its connection's last and says so: a client that keeps connections opens none of these again. */
    public void leave() {
        leaving = true;
    }

    boolean isLeaving() {
        return leaving;
    }

    /**
     * Closes each connection as soon as it has nothing to answer; done when all are closed or {@code atMost} is over.
     */
    public CompletionStage<Done> closeAll(Duration atMost) {
        closing = true;
        closers.forEach(Runnable::run);
        completeIfEmpty();
        return allClosed.copy().completeOnTimeout(Done.getInstance(), atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void completeIfEmpty() {
        if (closing && closers.isEmpty()) {
            allClosed.complete(Done.getInstance());
        }
    }
}
