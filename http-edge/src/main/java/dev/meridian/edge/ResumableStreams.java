package dev.meridian.edge;

import dev.meridian.edge.access.Caller;
import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import dev.meridian.edge.openai.SseWriter;
import dev.meridian.edge.stream.EdgeMux;
import dev.meridian.edge.stream.JournalReader;
import dev.meridian.edge.stream.Replay;
import dev.meridian.protocol.message.ResumeMessage;
import dev.meridian.protocol.message.ResumeMessage.Follow;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.jspecify.annotations.Nullable;

/**
 * Streams that outlive their connections, by the id under which their clients come back. One that nobody has been reading for its
 * window is given up: cancelled where it runs, and forgotten. Thread-safe.
 */
final class ResumableStreams {
    /** With it a client asks, in whole seconds. */
    static final String ASKED = "Meridian-Resume";

    /** The answer to it: the id of the stream. */
    static final String ID = "Meridian-Stream";

    private static final String LAST_EVENT = "Last-Event-ID";

    private final Duration limit;
    private final int most;
    private final ActorRef<EdgeMux.Command> mux;
    private final Map<String, Kept> kept = new ConcurrentHashMap<>();

    /**
     * A stream.
     *
     * @param owner the {@link Caller#identity} that may read it
     * @param window how long it stays without a reader
     */
    record Kept(
            String id,
            Completions.Running running,
            int promptTokens,
            String servedBy,
            String owner,
            Duration window,
            Replay replay) {
        /** For a reader that has the events up to {@code after}. */
        SseWriter writer(long after) {
            return new SseWriter(
                    running.dialect(), running.head(), running.parsed(), promptTokens, new SseWriter.EventIds(after));
        }
    }

    /**
     * Keeps none.
     *
     * @param limit the longest window; 0 where there are none
     * @param most at a time
     */
    ResumableStreams(Duration limit, int most, ActorRef<EdgeMux.Command> mux) {
        this.limit = limit;
        this.most = most;
        this.mux = mux;
    }

    /** How long the stream that is asked for shall outlive its connection; null where it shall not. */
    @Nullable
    Duration window(HttpRequest http) {
        Optional<String> asked = http.getHeader(ASKED).map(HttpHeader::value);
        if (asked.isEmpty()) {
            return null;
        }
        Duration window = Duration.ofSeconds(number(asked.get(), ASKED, 1));
        if (limit.isZero()) {
            throw new ApiException(
                    ApiError.invalid("unsupported_parameter", ASKED, "Streams here end with their connection."));
        }
        return window.compareTo(limit) > 0 ? limit : window;
    }

    /** The id of the last event that a client has; -1 where it has none. */
    static long lastEvent(HttpRequest http) {
        return http.getHeader(LAST_EVENT)
                .map(header -> number(header.value(), LAST_EVENT, 0))
                .orElse(-1L);
    }

    private static long number(String text, String header, int least) {
        if (text.matches("[0-9]{1,9}") && Long.parseLong(text) >= least) {
            return Long.parseLong(text);
        }
        throw new ApiException(ApiError.invalid(
                "invalid_value", header, header + ": expected a whole number of at least " + least + "."));
    }

    boolean isFull() {
        return kept.size() >= most;
    }

    void keep(Kept stream) {
        kept.put(stream.id(), stream);
    }

    /** The stream of that id, if it is this owner's. */
    Optional<Kept> find(String id, String owner) {
        return Optional.ofNullable(kept.get(id)).filter(stream -> stream.owner().equals(owner));
    }

    /** The node whose edge keeps the stream of that id. */
    static String nodeOf(String id) {
        return id.substring(0, Math.max(0, id.indexOf('~')));
    }

    /** What answers other edges whose clients ask for a stream that is kept here. */
    Behavior<ResumeMessage> keeper() {
        return Behaviors.receive((context, message) -> {
            if (message instanceof Follow follow) {
                Optional<Kept> found = find(follow.stream(), follow.owner());
                JournalReader reader =
                        found.map(stream -> stream.replay().attach()).orElse(null);
                if (found.isEmpty() || reader == null) {
                    follow.reader().tell(new ResumeMessage.NotKept());
                } else {
                    ActorRef<ResumeMessage> source = context.spawnAnonymous(
                            KeptStreamSource.create(reader, found.get().writer(follow.after()), follow.reader()));
                    follow.reader().tell(new ResumeMessage.Following(found.get().servedBy(), source));
                }
            }
            return Behaviors.same();
        });
    }

    /** Gives up those whose time is over; to be called every now and then. */
    void sweep() {
        for (Kept stream : List.copyOf(kept.values())) {
            if (stream.replay().isUnattendedFor(stream.window())) {
                kept.remove(stream.id());
                mux.tell(new EdgeMux.ClientGone(stream.running().request().id()));
                stream.running().settle(stream.promptTokens());
                stream.replay().close();
            }
        }
    }
}
