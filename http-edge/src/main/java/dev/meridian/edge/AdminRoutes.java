package dev.meridian.edge;

import dev.meridian.edge.access.Gate;
import dev.meridian.edge.access.Role;
import dev.meridian.edge.http.ConnectionStage;
import dev.meridian.edge.http.Presence;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operators' port: health and metrics. */
final class AdminRoutes implements ConnectionStage.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(AdminRoutes.class);

    private final Gate gate;
    private final Readiness readiness;
    private final Lifecycle lifecycle;
    private final PrometheusMeterRegistry registry;

    AdminRoutes(Gate gate, Readiness readiness, Lifecycle lifecycle, PrometheusMeterRegistry registry) {
        this.gate = gate;
        this.readiness = readiness;
        this.lifecycle = lifecycle;
        this.registry = registry;
    }

    @Override
    public CompletionStage<HttpResponse> handle(HttpRequest request, Presence presence) {
        Gate.Answer answer = gate.refusesAddress(request)
                .<Gate.Answer>map(refused -> refused)
                .orElseGet(() -> gate.admit(request, Role.ADMIN));
        return switch (answer) {
            case Gate.Refused refused -> done(Responses.error(refused.error()).addHeaders(refused.headers()));
            case Gate.Admitted _ -> route(request);
        };
    }

    private CompletionStage<HttpResponse> route(HttpRequest request) {
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
            case CHAT, COMPLETIONS, MODELS, MODEL -> throw new IllegalStateException(route + " is on the other port");
        };
    }

    private static CompletionStage<HttpResponse> done(HttpResponse response) {
        return CompletableFuture.completedFuture(response);
    }

    private CompletionStage<HttpResponse> ready() {
        if (lifecycle.isLeaving()) {
            return CompletableFuture.completedFuture(Responses.json(503, "{\"status\":\"stopping\"}"));
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
                        registry.scrape().getBytes(StandardCharsets.UTF_8));
    }
}
