package dev.meridian.edge.http;

import org.jspecify.annotations.Nullable;

/**
 * Whether the client of one request is still there. Ends once, either answered or gone. Thread-safe: the connection
 * says gone, whoever writes the reply says answered.
 */
public final class Presence {
    private final Runnable whenAnswered;
    private boolean ended;
    private @Nullable Runnable whenGone;

    Presence(Runnable whenAnswered) {
        this.whenAnswered = whenAnswered;
    }

    /** Names what to do when the client leaves before its reply is complete; runs at once if it has left already. */
    public void onGone(Runnable action) {
        synchronized (this) {
            if (!ended) {
                whenGone = action;
                return;
            }
        }
        action.run();
    }

    /** The last byte of the reply was handed over. */
    public void answered() {
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
            whenGone = null;
        }
        whenAnswered.run();
    }

    void gone() {
        Runnable action;
        synchronized (this) {
            action = whenGone;
            ended = true;
            whenGone = null;
        }
        if (action != null) {
            action.run();
        }
    }
}
