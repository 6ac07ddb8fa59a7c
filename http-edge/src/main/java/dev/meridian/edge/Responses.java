package dev.meridian.edge;

import dev.meridian.edge.openai.ApiError;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCode;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/** Complete HTTP responses with JSON in them. */
final class Responses {
    private Responses() {}

    static HttpResponse json(int status, byte[] body) {
        return HttpResponse.create().withStatus(status(status)).withEntity(ContentTypes.APPLICATION_JSON, body);
    }

    static HttpResponse json(int status, String body) {
        return json(status, body.getBytes(StandardCharsets.UTF_8));
    }

    static HttpResponse error(ApiError error) {
        HttpResponse response = json(error.status(), error.toJson());
        return error.retryAfterSeconds() == 0
                ? response
                : response.addHeader(RawHeader.create("Retry-After", Integer.toString(error.retryAfterSeconds())));
    }

    /** What failed, out of what a stage wraps around it. */
    static Throwable causeOf(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    static HttpResponse methodNotAllowed(String allowed) {
        return error(ApiError.http(405, "method_not_allowed", "Only " + allowed + " is allowed here."))
                .addHeader(RawHeader.create("Allow", allowed));
    }

    static HttpResponse notFound() {
        return error(ApiError.http(404, "unknown_url", "There is nothing at this URL."));
    }

    private static StatusCode status(int code) {
        // Not in any RFC, and the usual way to say in a log that nobody heard the answer.
        return code == 499
                ? StatusCodes.custom(499, "Client Closed Request", "Client Closed Request", false, true)
                : StatusCodes.get(code);
    }
}
