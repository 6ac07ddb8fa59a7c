package dev.meridian.edge.stream;

import dev.meridian.edge.stream.EdgeMux.Loading;
import dev.meridian.edge.stream.EdgeMux.Opening;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** Who waits for the answer to an Open: told once, or first that it takes a load and then the answer. Used by the mux alone. */
final class Opener {
    private final ActorRef<Opening> replyTo;
    private @Nullable CompletableFuture<Opening> later;
    private int attempts;

    Opener(ActorRef<Opening> replyTo) {
        this.replyTo = replyTo;
    }

    /** The answer comes later; said once. */
    void loading(String model, long estimateMillis) {
        if (later == null) {
            later = new CompletableFuture<>();
            replyTo.tell(new Loading(model, estimateMillis, later));
        }
    }

    /** Whether it was told so. */
    boolean isLate() {
        return later != null;
    }

    /** The number of the request's last attempt; 0 before the first. */
    int attempts() {
        return attempts;
    }

    /** The request waits again after so many attempts: replicas know those. */
    void used(int newAttempts) {
        attempts = newAttempts;
    }

    void tell(Opening answer) {
        if (later == null) {
            replyTo.tell(answer);
        } else {
            later.complete(answer);
        }
    }
}
