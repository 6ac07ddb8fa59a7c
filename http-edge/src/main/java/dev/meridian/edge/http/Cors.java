package dev.meridian.edge.http;

import dev.meridian.edge.access.OriginCheck;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/**
 * Cross-origin access for pages in browsers, never with credentials (WHATWG Fetch, "CORS protocol"). The same headers
 * go on replies, errors and streams, so that a page can read each. Thread-safe.
 */
public final class Cors {
    private static final int MAX_HEADERS_LENGTH = 2000;
    private static final HttpHeader EXPOSED = RawHeader.create(
            "Access-Control-Expose-Headers",
            "x-request-id, meridian-served-by, retry-after, server-timing, www-authenticate, x-ratelimit-limit-requests, "
                    + "x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, "
                    + "x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens");
    private static final HttpHeader VARY = RawHeader.create("Vary", "Origin");

    private final OriginCheck origins;

    public Cors(OriginCheck origins) {
        this.origins = origins;
    }

    /** Whether it is a browser's question before the real request. */
    public static boolean isPreflight(HttpRequest request) {
        return request.method().value().equals("OPTIONS")
                && request.getHeader("Origin").isPresent()
                && request.getHeader("Access-Control-Request-Method").isPresent();
    }

    /** Answers a preflight for a path that knows {@code methods}. */
    public HttpResponse preflight(HttpRequest request, String methods) {
        HttpResponse response = HttpResponse.create()
                .withStatus(204)
                .addHeader(RawHeader.create("Access-Control-Allow-Methods", methods))
                .addHeader(RawHeader.create("Access-Control-Max-Age", "600"));
        // Clients send headers of their own (x-stainless-…), and "*" would not cover Authorization: so they are echoed.
        return request.getHeader("Access-Control-Request-Headers")
                .map(HttpHeader::value)
                .filter(Cors::isHeaderList)
                .map(names -> response.addHeader(RawHeader.create("Access-Control-Allow-Headers", names)))
                .orElse(response);
    }

    /** Adds what lets the page that asked read the response. */
    public HttpResponse allow(HttpRequest request, HttpResponse response) {
        String origin = request.getHeader("Origin").map(HttpHeader::value).orElse("");
        if (origins.allowsAll()) {
            return origin.isEmpty()
                    ? response
                    : response.addHeader(RawHeader.create("Access-Control-Allow-Origin", "*"))
                            .addHeader(EXPOSED);
        }
        HttpResponse varying = response.addHeader(VARY);
        return !origin.isEmpty() && origins.allows(origin)
                ? varying.addHeader(RawHeader.create("Access-Control-Allow-Origin", origin))
                        .addHeader(EXPOSED)
                : varying;
    }

    private static boolean isHeaderList(String names) {
        return names.length() <= MAX_HEADERS_LENGTH
                && names.chars()
                        .allMatch(c -> (c >= '0' && c <= '9')
                                || (c >= 'a' && c <= 'z')
                                || (c >= 'A' && c <= 'Z')
                                || c == '-'
                                || c == '_'
                                || c == ','
                                || c == ' ');
    }
}
