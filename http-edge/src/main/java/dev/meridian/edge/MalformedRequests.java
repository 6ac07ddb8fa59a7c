package dev.meridian.edge;

import dev.meridian.edge.http.RequestIds;
import dev.meridian.edge.openai.ApiError;
import java.security.SecureRandom;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.ParsingErrorHandler;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.scaladsl.model.ErrorInfo;
import org.apache.pekko.http.scaladsl.model.StatusCode;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;

/**
 * Answers what is no HTTP at all with an error object and a request id, like everything else. A client's own id is not
 * given back: nobody has read its headers. Pekko HTTP finds this class by its name and makes one for all ports, so it
 * has its own source of ids. Thread-safe.
 */
public final class MalformedRequests extends ParsingErrorHandler {
    /** The name under which Pekko looks for the instance of a Scala object. */
    @SuppressWarnings("MemberName") // Not ours to choose.
    public static final MalformedRequests MODULE$ = new MalformedRequests();

    private final RequestIds ids = new RequestIds(new SecureRandom());

    private MalformedRequests() {}

    @Override
    public HttpResponse handle(StatusCode status, ErrorInfo error, LoggingAdapter log, ServerSettings settings) {
        return Responses.error(ApiError.http(status.intValue(), "malformed_request", error.summary()))
                .addHeader(RawHeader.create("x-request-id", ids.next("req-")));
    }
}
