package dev.meridian.edge;

import dev.meridian.edge.http.ConnectionStage;
import dev.meridian.edge.http.Presence;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
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

    private final Readiness readiness;
    private final Lifecycle lifecycle;
    private final PrometheusMeterRegistry registry;

    AdminRoutes(Readiness readiness, Lifecycle lifecycle, PrometheusMeterRegistry registry) {
        this.readiness = readiness;
        this.lifecycle = lifecycle;
        this.registry = registry;
    }

    @Override
    public CompletionStage<HttpResponse> handle(HttpRequest request, Presence presence) {
        String path = request.getUri().path();
        boolean known = path.equals("/health/live") || path.equals("/health/ready") || path.equals("/metrics");
        if (!known) {
            return CompletableFuture.completedFuture(Responses.notFound());
        }
        if (!request.method().value().equals("GET")) {
            return CompletableFuture.completedFuture(Responses.methodNotAllowed("GET, HEAD"));
        }
        return switch (path) {
            case "/health/live" -> CompletableFuture.completedFuture(Responses.json(200, "{\"status\":\"live\"}"));
            case "/health/ready" -> ready();
            default -> CompletableFuture.completedFuture(metrics());
        };
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
