package dev.meridian.edge.http;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.Done;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.Connection;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one client connection, one after the other. While a reply is awaited or streamed, the stage goes on
 * asking for a next request: only so does the server read the socket, see the client's FIN, and tell that request's
 * presence. (A request with {@code Connection: close} ends the server's reading by itself; there a leaving client is
 * noticed when bytes are written.) It closes a connection that idles, and one whose request lives far beyond every
 * deadline.
 */
public final class ConnectionStage extends GraphStage<FlowShape<HttpRequest, HttpResponse>> {
    /** Answers a request; {@code presence.answered()} is the handler's to call when a streamed entity has ended. */
    public interface Handler {
        CompletionStage<HttpResponse> handle(HttpRequest request, Presence presence);
    }

    private final Inlet<HttpRequest> in = Inlet.create("ConnectionStage.in");
    private final Outlet<HttpResponse> out = Outlet.create("ConnectionStage.out");
    private final FlowShape<HttpRequest, HttpResponse> shape = FlowShape.of(in, out);
    private final Handler handler;
    private final Connections connections;
    private final Duration idleTimeout;
    private final Duration requestLimit;

    /**
     * Connections that {@code handler} answers.
     *
     * @param idleTimeout a connection without a request is closed after this
     * @param requestLimit a request that is not over by then takes its connection down
     */
    public ConnectionStage(Handler handler, Connections connections, Duration idleTimeout, Duration requestLimit) {
        this.handler = handler;
        this.connections = connections;
        this.idleTimeout = idleTimeout;
        this.requestLimit = requestLimit;
    }

    @Override
    public FlowShape<HttpRequest, HttpResponse> shape() {
        return shape;
    }

    @Override
    public Logic createLogic(Attributes inheritedAttributes) {
        return new Logic();
    }

    private record Answer(
            Presence presence,
            @Nullable HttpResponse response,
            @Nullable Throwable failure) {}

    /** One connection's state; runs in the connection's stream. */
    public final class Logic extends TimerGraphStageLogic {
        private final Map<Presence, Long> inFlight = new HashMap<>();
        private boolean handling;
        private boolean lastRequest;
        private @Nullable HttpRequest waiting;
        private @Nullable HttpResponse ready;
        private boolean closing;
        private @Nullable Runnable closer;
        private long idleSince = System.nanoTime();

        Logic() {
            super(shape);
            setHandler(in, new AbstractInHandler() {
                @Override
                public void onPush() {
                    onRequest(grab(in));
                }

                @Override
                public void onUpstreamFinish() {
                    onNoMoreRequests();
                }
            });
            setHandler(out, new AbstractOutHandler() {
                @Override
                public void onPull() {
                    pushReady();
                    readOn();
                }
            });
        }

        @Override
        public void preStart() {
            AsyncCallback<Done> close = createAsyncCallback(_ -> {
                closing = true;
                closeIfIdle();
            });
            closer = () -> close.invoke(Done.getInstance());
            connections.opened(closer);
            scheduleWithFixedDelay("limits", idleTimeout.dividedBy(4), idleTimeout.dividedBy(4));
        }

        private void onRequest(HttpRequest request) {
            if (handling) {
                waiting = request;
            } else {
                start(request);
            }
            readOn();
        }

        private void start(HttpRequest request) {
            handling = true;
            lastRequest = closesConnection(request);
            AsyncCallback<Presence> over = createAsyncCallback(this::onOver);
            Presence[] self = new Presence[1];
            Presence presence = new Presence(() -> over.invoke(self[0]));
            self[0] = presence;
            inFlight.put(presence, System.nanoTime());
            AsyncCallback<Answer> answered = createAsyncCallback(this::onAnswer);
            handler.handle(request, presence)
                    .whenComplete((response, failure) -> answered.invoke(new Answer(presence, response, failure)));
        }

        private void onAnswer(Answer answer) {
            if (answer.response() == null) {
                failStage(answer.failure() == null ? new IllegalStateException("no response") : answer.failure());
                return;
            }
            ready = answer.response();
            if (ready.entity().isStrict()) {
                answer.presence().answered();
            }
            pushReady();
        }

        private void pushReady() {
            if (ready != null && isAvailable(out)) {
                HttpResponse response = connections.isLeaving() ? ready.addHeader(Connection.create("close")) : ready;
                ready = null;
                handling = false;
                push(out, response);
                if (waiting != null) {
                    HttpRequest next = waiting;
                    waiting = null;
                    start(next);
                } else if (isClosed(in)) {
                    completeStage();
                } else {
                    closeIfIdle();
                }
            }
        }

        private void readOn() {
            if (waiting == null && !isClosed(in) && !hasBeenPulled(in)) {
                pull(in);
            }
        }

        private void onOver(Presence presence) {
            inFlight.remove(presence);
            idleSince = System.nanoTime();
            closeIfIdle();
        }

        private void closeIfIdle() {
            if (closing && inFlight.isEmpty() && !handling && waiting == null) {
                completeStage();
            }
        }

        private void onNoMoreRequests() {
            if (!lastRequest) {
                tellGone();
            }
            if (!handling) {
                completeStage();
            }
        }

        private void tellGone() {
            List<Presence> left = List.copyOf(inFlight.keySet());
            inFlight.clear();
            left.forEach(Presence::gone);
        }

        @Override
        public void onTimer(Object timer) {
            long now = System.nanoTime();
            if (inFlight.isEmpty() && !handling && now - idleSince > idleTimeout.toNanos()) {
                completeStage();
            } else if (inFlight.values().stream().anyMatch(since -> now - since > requestLimit.toNanos())) {
                failStage(new TimeoutException("a request outlived every deadline"));
            }
        }

        @Override
        public void postStop() {
            if (closer != null) {
                connections.closed(closer);
            }
            // A stage that has passed on its last response stops before that response's bytes are out.
            if (!(lastRequest && ready == null && !handling)) {
                tellGone();
            }
        }
    }

    private static boolean closesConnection(HttpRequest request) {
        String connection =
                request.getHeader("Connection").map(header -> header.value()).orElse("");
        return connection.toLowerCase(Locale.ROOT).contains("close")
                || (request.protocol().value().equals("HTTP/1.0")
                        && !connection.toLowerCase(Locale.ROOT).contains("keep-alive"));
    }
}
