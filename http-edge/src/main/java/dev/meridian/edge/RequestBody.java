package dev.meridian.edge;

import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.model.EntityStreamException;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.stream.Materializer;

/** Takes a JSON body off the wire, within its bounds. */
final class RequestBody {
    private RequestBody() {}

    /** The bytes, or a failed stage with an {@link ApiException}: 408, 413, 415 or 400. */
    static CompletionStage<byte[]> read(HttpRequest request, EdgeSettings settings, Materializer materializer) {
        requireJson(request.entity().getContentType());
        return request.entity()
                .toStrict(settings.bodyReadTimeout().toMillis(), settings.maxBodyBytes(), materializer)
                .handle((HttpEntity.Strict strict, Throwable failure) -> {
                    if (failure != null) {
                        throw explain(failure, settings);
                    }
                    return strict.getData().toArray();
                });
    }

    private static void requireJson(ContentType type) {
        boolean json = type.mediaType().toString().equals("application/json");
        boolean utf8 = !type.binary()
                || type.getCharsetOption()
                        .map(charset -> charset.value().toLowerCase(Locale.ROOT).equals("utf-8"))
                        .orElse(true);
        if (!json || !utf8) {
            throw new ApiException(
                    ApiError.http(415, "unsupported_media_type", "The Content-Type must be application/json (UTF-8)."));
        }
    }

    private static RuntimeException explain(Throwable failure, EdgeSettings settings) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return switch (cause) {
            case EntityStreamSizeException _ ->
                new ApiException(ApiError.http(
                        413, "body_too_large", "The request body exceeds " + settings.maxBodyBytes() + " bytes."));
            case TimeoutException _ ->
                new ApiException(ApiError.http(408, "body_timeout", "The request body did not arrive in time."));
            case EntityStreamException _ ->
                new ApiException(ApiError.http(400, "body_incomplete", "The request body ended early."));
            default -> new CompletionException(cause);
        };
    }
}
