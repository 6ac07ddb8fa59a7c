package dev.meridian.edge;

import dev.meridian.edge.openai.ApiError;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.ParsingErrorHandler;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.model.ErrorInfo;
import org.apache.pekko.http.scaladsl.model.StatusCode;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;

/** Answers what is no HTTP at all with an error object, like everything else. Pekko HTTP finds it by its class name. */
public final class MalformedRequests extends ParsingErrorHandler {
    /** The name under which Pekko looks for the instance of a Scala object. */
    @SuppressWarnings("MemberName") // Not ours to choose.
    public static final MalformedRequests MODULE$ = new MalformedRequests();

    private MalformedRequests() {}

    @Override
    public HttpResponse handle(StatusCode status, ErrorInfo error, LoggingAdapter log, ServerSettings settings) {
        return Responses.error(ApiError.http(status.intValue(), "malformed_request", error.summary()));
    }
}
