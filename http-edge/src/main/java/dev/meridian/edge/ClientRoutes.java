package dev.meridian.edge;

import dev.meridian.edge.http.ConnectionStage;
import dev.meridian.edge.http.Cors;
import dev.meridian.edge.http.Presence;
import dev.meridian.edge.http.RequestIds;
import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import dev.meridian.edge.openai.Dialect;
import dev.meridian.edge.stream.StreamMetrics;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
    private static final String MODELS = "/v1/models";

    private final Completions completions;
    private final Models models;
    private final Cors cors;
    private final RequestIds ids;
    private final StreamMetrics metrics;

    ClientRoutes(Completions completions, Models models, Cors cors, RequestIds ids, StreamMetrics metrics) {
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
        String path = request.getUri().path();
        String allowed = allowedMethods(path);
        String method = request.method().value();
        if (allowed.isEmpty()) {
            return CompletableFuture.completedFuture(Responses.notFound());
        }
        if (Cors.isPreflight(request)) {
            return CompletableFuture.completedFuture(cors.preflight(request, allowed));
        }
        if (!List.of(allowed.split(", ")).contains(method)) {
            return CompletableFuture.completedFuture(Responses.methodNotAllowed(allowed));
        }
        return switch (path) {
            case "/v1/chat/completions" -> completions.serve(Dialect.CHAT, request, presence);
            case "/v1/completions" -> completions.serve(Dialect.TEXT, request, presence);
            case MODELS -> CompletableFuture.completedFuture(models.list());
            default -> CompletableFuture.completedFuture(models.one(path.substring(MODELS.length() + 1)));
        };
    }

    private static String allowedMethods(String path) {
        return switch (path) {
            case "/v1/chat/completions", "/v1/completions" -> "POST";
            case MODELS -> "GET, HEAD";
            default -> path.startsWith(MODELS + "/") && path.length() > MODELS.length() + 1 ? "GET, HEAD" : "";
        };
    }

    private HttpResponse errorFor(Throwable failure, String requestId) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
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
