package dev.meridian.edge;

import dev.meridian.edge.http.Presence;
import java.time.Duration;
import java.util.function.Supplier;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Server-sent events of which nobody knows when they come: looked for several times a second, for a connection must not be held
 * by what is long over. Comments show meanwhile that the node lives.
 */
final class EventStream {
    private static final Duration LOOK = Duration.ofMillis(200);
    private static final Duration COMMENT_INTERVAL = Duration.ofSeconds(10);
    private static final ByteString COMMENT = ByteString.fromString(":\n\n");

    private EventStream() {}

    /**
     * A response.
     *
     * @param fresh what has come since the last call; empty where that is nothing
     * @param lifecycle the stream ends when this edge refuses requests
     * @param atMost it ends after that, too, before its connection is taken for one that hangs; readers continue with the last id
     * @param presence of the reader: it ends when that is gone
     */
    static HttpResponse of(Supplier<String> fresh, Lifecycle lifecycle, Duration atMost, Presence presence) {
        SharedKillSwitch gone = KillSwitches.shared("events");
        presence.onGone(gone::shutdown);
        Source<ByteString, NotUsed> events = Source.tick(Duration.ZERO, LOOK, fresh)
                .takeWhile(_ -> !lifecycle.isRefusing())
                .takeWithin(atMost)
                .map(Supplier::get)
                .filter(text -> !text.isEmpty())
                .map(ByteString::fromString)
                .keepAlive(COMMENT_INTERVAL, () -> COMMENT)
                .prepend(Source.single(COMMENT))
                .via(gone.flow())
                .watchTermination((_, done) -> {
                    done.whenComplete((_, _) -> presence.answered());
                    return NotUsed.getInstance();
                });
        return response(events);
    }

    /** A response of server-sent events. */
    static HttpResponse response(Source<ByteString, NotUsed> events) {
        return HttpResponse.create()
                .withEntity(HttpEntities.createChunked(MediaTypes.TEXT_EVENT_STREAM.toContentType(), events))
                .addHeader(RawHeader.create("Cache-Control", "no-cache"))
                // Asks nginx not to hold events back.
                .addHeader(RawHeader.create("X-Accel-Buffering", "no"));
    }
}
