package dev.meridian.edge;

import dev.meridian.edge.access.Limiter;
import java.util.List;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/** OpenAI's {@code x-ratelimit-} headers: where a key stands as its reply begins. */
final class RateHeaders {
    private RateHeaders() {}

    static HttpResponse add(HttpResponse response, List<Limiter.Quota> quotas) {
        HttpResponse with = response;
        for (Limiter.Quota quota : quotas) {
            with = with.addHeader(header("limit-", quota, Integer.toString(quota.limit())))
                    .addHeader(header("remaining-", quota, Long.toString(quota.remaining())))
                    .addHeader(header("reset-", quota, quota.resetMillis() + "ms"));
        }
        return with;
    }

    private static RawHeader header(String what, Limiter.Quota quota, String value) {
        return RawHeader.create("x-ratelimit-" + what + quota.name(), value);
    }
}
