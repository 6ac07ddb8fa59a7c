package dev.meridian.edge.stream;

import dev.meridian.protocol.message.ReplicaCommand;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Streams of replicas that are about to stop, and which of them goes next. One moves at a time: it costs another replica its
 * whole context, behind which the next would have to wait. Meanwhile the rest is fed where it is. Owned by the mux actor.
 */
final class HandOvers {
    /** A stream, and the one that it leaves. */
    record Leaver(LiveStream stream, ActorRef<ReplicaCommand> from) {}

    private final Queue<Leaver> waiting = new ArrayDeque<>();

    /** Was told to move, and its next token has not come yet. */
    private @Nullable LiveStream moving;

    void add(Leaver leaver) {
        waiting.add(leaver);
    }

    /** The one at the head, if it is its turn; those before it that {@code isHere} denies are dropped. */
    Optional<Leaver> peek(Predicate<Leaver> isHere) {
        while (!waiting.isEmpty() && !isHere.test(waiting.element())) {
            waiting.remove();
        }
        return moving == null ? Optional.ofNullable(waiting.peek()) : Optional.empty();
    }

    /** The one at the head moves. */
    void start() {
        moving = waiting.remove().stream();
    }

    /** The stream has a token of its new replica, or has ended. */
    void settled(LiveStream stream) {
        if (stream.equals(moving)) {
            moving = null;
        }
    }
}
