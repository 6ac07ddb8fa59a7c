package dev.meridian.edge.access;

import dev.meridian.edge.openai.ApiError;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.jspecify.annotations.Nullable;

/** A port's guard. It reads headers alone, so a refusal comes before the body is read. Thread-safe. */
public final class Gate {
    private static final String BEARER = "bearer ";
    private static final String INVALID = "invalid_request_error";
    private static final HttpHeader CHALLENGE = RawHeader.create("WWW-Authenticate", "Bearer realm=\"meridian\"");
    /** RFC 6750, section 3.1: the error is named only to those who presented a key. */
    private static final HttpHeader INVALID_TOKEN =
            RawHeader.create("WWW-Authenticate", "Bearer realm=\"meridian\", error=\"invalid_token\"");

    private static final HttpHeader INSUFFICIENT =
            RawHeader.create("WWW-Authenticate", "Bearer realm=\"meridian\", error=\"insufficient_scope\"");

    private final @Nullable HostCheck hosts;
    private final OriginCheck origins;
    private final @Nullable KeyRing keys;

    /**
     * A guard.
     *
     * @param hosts null where every Host passes
     * @param keys null where nobody needs a key
     */
    Gate(@Nullable HostCheck hosts, OriginCheck origins, @Nullable KeyRing keys) {
        this.hosts = hosts;
        this.origins = origins;
        this.keys = keys;
    }

    /** What came of a request at the gate. */
    public sealed interface Answer {}

    public record Admitted(Caller caller) implements Answer {}

    public record Refused(ApiError error, List<HttpHeader> headers) implements Answer {}

    /**
     * Whether a request is addressed to this server and comes from a page that may ask; preflights need no more. Empty
     * when it is.
     */
    public Optional<Refused> refusesAddress(HttpRequest request) {
        // The parser has refused a missing and a doubled Host, and one that differs from an absolute target's.
        if (hosts != null && !hosts.allows(request.getUri().host().address())) {
            return Optional.of(refused(
                    421,
                    "host_forbidden",
                    "The Host header names neither this machine's loopback nor one of allowed-hosts."));
        }
        List<String> from = values(request, "origin");
        if (from.size() > 1 || !from.stream().allMatch(origins::allows)) {
            return Optional.of(refused(403, "origin_forbidden", "Pages of this origin may not call this server."));
        }
        return Optional.empty();
    }

    private static List<String> values(HttpRequest request, String lowerCaseName) {
        List<String> values = new ArrayList<>(1);
        for (HttpHeader header : request.getHeaders()) {
            if (header.is(lowerCaseName)) {
                values.add(header.value());
            }
        }
        return values;
    }

    /** Whether the sender may use what needs {@code needed}. */
    public Answer admit(HttpRequest request, Role needed) {
        if (keys == null) {
            return new Admitted(new Caller.Local());
        }
        List<String> presented = values(request, "authorization");
        if (presented.isEmpty()) {
            return refused(401, "invalid_api_key", "An API key is needed: Authorization: Bearer KEY.", CHALLENGE);
        }
        String value = presented.getFirst();
        if (presented.size() > 1 || !value.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return refused(401, "invalid_api_key", "One header is expected: Authorization: Bearer KEY.", CHALLENGE);
        }
        return keys.find(value.substring(BEARER.length()).strip())
                .<Answer>map(key -> key.role().covers(needed)
                        ? new Admitted(new Caller.Keyed(key))
                        : refused(403, "role_forbidden", "This key's role may not use this port.", INSUFFICIENT))
                .orElseGet(() ->
                        refused(401, "invalid_api_key", "The API key is unknown, revoked or expired.", INVALID_TOKEN));
    }

    private static Refused refused(int status, String code, String message, HttpHeader... headers) {
        return new Refused(new ApiError(status, INVALID, code, message, null, 0), List.of(headers));
    }
}
