package dev.meridian.edge;

import dev.meridian.edge.access.ApiKey;
import dev.meridian.edge.access.Caller;
import dev.meridian.edge.access.Gate;
import dev.meridian.edge.access.Role;
import dev.meridian.edge.admin.AdminApi;
import dev.meridian.edge.http.ConnectionStage;
import dev.meridian.edge.http.Presence;
import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.Materializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operators' port: health, metrics, and the cluster where there is one. */
final class AdminRoutes implements ConnectionStage.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(AdminRoutes.class);

    private static final String EVENTS = "text/event-stream";

    private final Gate gate;
    private final Readiness readiness;
    private final Lifecycle lifecycle;
    private final Meters meters;
    private final EdgeSettings settings;
    private final Materializer materializer;
    private final @Nullable AdminApi cluster;

    /** @param cluster null where the node is in none */
    AdminRoutes(
            Gate gate,
            Readiness readiness,
            Lifecycle lifecycle,
            Meters meters,
            EdgeSettings settings,
            Materializer materializer,
            @Nullable AdminApi cluster) {
        this.gate = gate;
        this.readiness = readiness;
        this.lifecycle = lifecycle;
        this.meters = meters;
        this.settings = settings;
        this.materializer = materializer;
        this.cluster = cluster;
    }

    @Override
    public CompletionStage<HttpResponse> handle(HttpRequest request, Presence presence) {
        Gate.Answer answer = gate.refusesAddress(request)
                .<Gate.Answer>map(refused -> refused)
                .orElseGet(() -> gate.admit(request, Role.ADMIN));
        return switch (answer) {
            case Gate.Refused refused -> done(Responses.error(refused.error()).addHeaders(refused.headers()));
            case Gate.Admitted(Caller caller) -> route(request, caller, presence);
        };
    }

    private CompletionStage<HttpResponse> route(HttpRequest request, Caller caller, Presence presence) {
        Optional<Route> found = Route.find(Role.ADMIN, request.getUri().path());
        if (found.isEmpty()) {
            return done(Responses.notFound());
        }
        Route route = found.get();
        if (!route.takes(request.method().value())) {
            return done(Responses.methodNotAllowed(route.methods()));
        }
        return switch (route) {
            case LIVE -> done(Responses.json(200, "{\"status\":\"live\"}"));
            case READY -> ready();
            case METRICS -> done(metrics());
            case NODES -> cluster(admin -> done(Responses.json(200, admin.nodes())));
            case REPLICAS -> cluster(admin -> done(Responses.json(200, admin.replicas())));
            case PLACED_MODELS -> cluster(admin -> done(Responses.json(200, admin.models())));
            case DEMAND -> cluster(admin -> done(Responses.json(200, admin.demand())));
            case PLAN -> cluster(admin -> done(Responses.json(200, admin.plan())));
            case EVENTS -> cluster(admin -> done(events(request, admin, presence)));
            case WHY ->
                cluster(admin -> done(why(admin, route.rest(request.getUri().path()))));
            case CHANGES -> cluster(admin -> done(Responses.json(200, admin.changes())));
            case CHANGE ->
                request.method().equals(HttpMethods.POST)
                        ? cluster(admin -> change(AdminApi.Subject.CHANGE, route, request, caller, admin))
                        : cluster(admin ->
                                done(change(admin, route.rest(request.getUri().path()))));
            case NODE_CHANGE -> cluster(admin -> change(AdminApi.Subject.NODE, route, request, caller, admin));
            case REPLICA_CHANGE -> cluster(admin -> change(AdminApi.Subject.REPLICA, route, request, caller, admin));
            case MODEL_CHANGE -> cluster(admin -> change(AdminApi.Subject.MODEL, route, request, caller, admin));
            case CHAT, COMPLETIONS, MODELS, MODEL, STREAM ->
                throw new IllegalStateException(route + " is on the other port");
        };
    }

    private CompletionStage<HttpResponse> cluster(Function<AdminApi, CompletionStage<HttpResponse>> answer) {
        return cluster == null ? done(Responses.notFound()) : answer.apply(cluster);
    }

    private HttpResponse events(HttpRequest request, AdminApi admin, Presence presence) {
        boolean follows = request.getHeader("Accept")
                .filter(accept -> accept.value().toLowerCase(Locale.ROOT).contains(EVENTS))
                .isPresent();
        if (!follows) {
            return Responses.json(200, admin.events());
        }
        try {
            Optional<String> last = request.getHeader("Last-Event-ID").map(HttpHeader::value);
            return EventStream.of(admin.follow(last), lifecycle, settings.requestDeadline(), presence);
        } catch (ApiException e) {
            return Responses.error(e.error());
        }
    }

    private static HttpResponse why(AdminApi admin, String id) {
        return admin.why(id)
                .map(json -> Responses.json(200, json))
                .orElseGet(() -> Responses.error(
                        ApiError.http(404, "nothing_known", "This node knows of no such replica, model or request.")));
    }

    private static HttpResponse change(AdminApi admin, String id) {
        return admin.change(id)
                .map(json -> Responses.json(200, json))
                .orElseGet(() -> Responses.error(ApiError.http(404, "change_unknown", "There is no such change.")));
    }

    private CompletionStage<HttpResponse> change(
            AdminApi.Subject subject, Route route, HttpRequest request, Caller caller, AdminApi admin) {
        String by = caller instanceof Caller.Keyed(ApiKey key) ? key.name() : "loopback";
        return body(request)
                .thenCompose(body -> admin.change(
                        subject,
                        route.rest(request.getUri().path()),
                        body,
                        request.getUri().query().get("wait"),
                        request.getHeader("Idempotency-Key").map(HttpHeader::value),
                        by))
                .handle((answer, failure) ->
                        failure == null ? Responses.json(answer.status(), answer.json()) : failed(failure));
    }

    private static HttpResponse failed(Throwable failure) {
        Throwable cause = Responses.causeOf(failure);
        if (cause instanceof ApiException refused) {
            return Responses.error(refused.error());
        }
        LOG.error("a change failed", cause);
        return Responses.error(ApiError.http(500, "internal_error", "The server failed."));
    }

    /** A change without arguments needs no body, and then no Content-Type. */
    private CompletionStage<byte[]> body(HttpRequest request) {
        if (request.entity() instanceof HttpEntity.Strict strict
                && strict.getData().isEmpty()) {
            return CompletableFuture.completedFuture(new byte[0]);
        }
        try {
            return RequestBody.read(request, settings, materializer);
        } catch (ApiException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedFuture(response);
    }

    private CompletionStage<HttpResponse> ready() {
        if (lifecycle.isLeaving()) {
            return CompletableFuture.completedFuture(Responses.json(503, "{\"status\":\"stopping\"}"));
        }
        if (cluster != null && !cluster.joined()) {
            return done(Responses.json(503, "{\"status\":\"joining\"}"));
        }
        return readiness.check().handle((report, failure) -> {
            if (failure != null) {
                LOG.error("the readiness check failed", failure);
                return Responses.json(503, "{\"status\":\"check failed\"}");
            }
            return Responses.json(report.ready() ? 200 : 503, report.toJson());
        });
    }

    private HttpResponse metrics() {
        return HttpResponse.create()
                .withEntity(
                        ContentTypes.parse("text/plain; version=0.0.4; charset=utf-8"),
                        meters.shown().get().getBytes(StandardCharsets.UTF_8));
    }
}
