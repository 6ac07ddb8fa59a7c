package dev.meridian.edge;

import dev.meridian.edge.openai.ApiError;
import dev.meridian.edge.openai.ApiException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.stream.Materializer;

/** Takes a JSON body off the wire, within its bounds. */
final class RequestBody {
    private RequestBody() {}

    /** The bytes, or a failed stage with an {@link ApiException}: 408, 413, 415 or 400. */
    static CompletionStage<byte[]> read(HttpRequest request, EdgeSettings settings, Materializer materializer) {
        requireJson(request.entity().getContentType());
        requirePlain(request);
        // A body that came in one piece with its head is not held against the limit by toStrict.
        if (request.entity().getContentLengthOption().orElse(0) > settings.maxBodyBytes()) {
            throw tooLarge(settings);
        }
        if (request.entity() instanceof HttpEntity.Strict strict) {
            // Pekko HTTP would start a stream even for this.
            return CompletableFuture.completedFuture(strict.getData().toArray());
        }
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
        // A charset is ignored: JSON is UTF-8 and nothing else (RFC 8259, section 8.1).
        if (!type.mediaType().mainType().equals("application")
                || !type.mediaType().subType().equals("json")) {
            throw new ApiException(
                    ApiError.http(415, "unsupported_media_type", "The Content-Type must be application/json."));
        }
    }

    /** Nothing is unpacked here, so that a small body stays small. */
    private static void requirePlain(HttpRequest request) {
        String coding =
                request.getHeader("Content-Encoding").map(HttpHeader::value).orElse("identity");
        if (!coding.strip().equalsIgnoreCase("identity")) {
            throw new ApiException(ApiError.http(
                    415, "unsupported_media_type", "A Content-Encoding is not supported; send the body as it is."));
        }
    }

    private static RuntimeException explain(Throwable failure, EdgeSettings settings) {
        Throwable cause = Responses.causeOf(failure);
        return switch (cause) {
            case EntityStreamSizeException _ -> tooLarge(settings);
            case TimeoutException _ ->
                new ApiException(ApiError.http(408, "body_timeout", "The request body did not arrive in time."));
            // Anything else that breaks the body off is the client's doing: it left, or sent less than it announced.
            default -> new ApiException(ApiError.http(400, "body_incomplete", "The request body ended early."));
        };
    }

    private static ApiException tooLarge(EdgeSettings settings) {
        return new ApiException(ApiError.http(
                413, "body_too_large", "The request body exceeds " + settings.maxBodyBytes() + " bytes."));
    }
}
