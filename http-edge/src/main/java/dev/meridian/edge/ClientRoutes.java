package dev.meridian.edge;

import dev.meridian.edge.access.Caller;
import dev.meridian.edge.access.Gate;
import dev.meridian.edge.access.Role;
import dev.meridian.edge.http.ConnectionStage;
import dev.meridian.edge.http.Cors;
import dev.meridian.edge.http.Presence;
import dev.meridian.edge.http.RequestIds;
import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import dev.meridian.edge.openai.Dialect;
import dev.meridian.edge.openai.ErrorTable;
import dev.meridian.edge.stream.StreamMetrics;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The client port: which path takes which method, and what every response carries. */
final class ClientRoutes implements ConnectionStage.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(ClientRoutes.class);

    private final Gate gate;
    private final String region;
    private final Completions completions;
    private final Models models;
    private final Cors cors;
    private final RequestIds ids;
    private final StreamMetrics metrics;

    ClientRoutes(
            Gate gate,
            String region,
            Completions completions,
            Models models,
            Cors cors,
            RequestIds ids,
            StreamMetrics metrics) {
        this.gate = gate;
        this.region = region;
        this.completions = completions;
        this.models = models;
        this.cors = cors;
        this.ids = ids;
        this.metrics = metrics;
    }

    @Override
    public CompletionStage<HttpResponse> handle(HttpRequest request, Presence presence) {
        String requestId = request.getHeader("X-Request-Id")
                .map(HttpHeader::value)
                .filter(RequestIds::isValid)
                .orElseGet(() -> ids.next("req-"));
        CompletionStage<HttpResponse> response;
        try {
            response = route(request, presence);
        } catch (RuntimeException e) {
            response = CompletableFuture.failedFuture(e);
        }
        return response.exceptionally(failure -> errorFor(failure, requestId))
                .thenApply(
                        answer -> cors.allow(request, answer.addHeader(RawHeader.create("x-request-id", requestId))));
    }

    private CompletionStage<HttpResponse> route(HttpRequest request, Presence presence) {
        Optional<Gate.Refused> astray = gate.refusesAddress(request);
        if (astray.isPresent()) {
            return refuse(astray.get());
        }
        Optional<Route> route = Route.find(Role.CLIENT, request.getUri().path());
        if (Cors.isPreflight(request) && route.isPresent()) {
            // A browser asks without the key that it will send.
            return done(cors.preflight(request, route.get().methods()));
        }
        return switch (gate.admit(request, Role.CLIENT)) {
            case Gate.Refused refused -> refuse(refused);
            case Gate.Admitted(Caller caller)
            when !caller.residency().allows(region) ->
                refuse(new Gate.Refused(ErrorTable.regionForbidden("This key", caller.residency(), region), List.of()));
            case Gate.Admitted(Caller caller) ->
                route.map(found -> serve(found, request, caller, presence)).orElseGet(() -> done(Responses.notFound()));
        };
    }

    private CompletionStage<HttpResponse> serve(Route route, HttpRequest request, Caller caller, Presence presence) {
        if (!route.takes(request.method().value())) {
            return done(Responses.methodNotAllowed(route.methods()));
        }
        return switch (route) {
            case CHAT -> completions.serve(Dialect.CHAT, request, caller, presence);
            case COMPLETIONS -> completions.serve(Dialect.TEXT, request, caller, presence);
            case MODELS -> done(models.list(caller));
            case MODEL -> done(models.one(route.rest(request.getUri().path()), caller));
            case STREAM -> completions.resume(route.rest(request.getUri().path()), request, caller, presence);
            case LIVE,
                    READY,
                    METRICS,
                    NODES,
                    NODE_CHANGE,
                    REPLICAS,
                    REPLICA_CHANGE,
                    PLACED_MODELS,
                    MODEL_CHANGE,
                    DEMAND,
                    PLAN,
                    EVENTS,
                    WHY,
                    CHANGES,
                    CHANGE -> throw new IllegalStateException(route + " is on the other port");
        };
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedFuture(response);
    }

    private CompletionStage<HttpResponse> refuse(Gate.Refused refused) {
        metrics.refused(refused.error().code());
        return done(Responses.error(refused.error()).addHeaders(refused.headers()));
    }

    private HttpResponse errorFor(Throwable failure, String requestId) {
        Throwable cause = Responses.causeOf(failure);
        if (cause instanceof ApiException refused) {
            metrics.refused(refused.error().code());
            return Responses.error(refused.error());
        }
        LOG.error("request {} failed inside the edge", requestId, cause);
        metrics.refused("internal_error");
        return Responses.error(
                new ApiError(500, "server_error", "internal_error", "The edge failed on this request.", null, 0));
    }
}
