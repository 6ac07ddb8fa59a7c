package dev.meridian.edge;

import dev.meridian.edge.access.Role;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * All that the two ports answer. The routers go by this table alone, and so does the test that tries each without a key:
 * a route that is not here does not exist.
 */
enum Route {
    CHAT(Role.CLIENT, List.of("POST"), "/v1/chat/completions"),
    COMPLETIONS(Role.CLIENT, List.of("POST"), "/v1/completions"),
    MODELS(Role.CLIENT, List.of("GET", "HEAD"), "/v1/models"),
    MODEL(Role.CLIENT, List.of("GET", "HEAD"), "/v1/models/*"),
    STREAM(Role.CLIENT, List.of("GET"), "/v1/streams/*"),
    LIVE(Role.ADMIN, List.of("GET", "HEAD"), "/health/live"),
    READY(Role.ADMIN, List.of("GET", "HEAD"), "/health/ready"),
    METRICS(Role.ADMIN, List.of("GET", "HEAD"), "/metrics"),
    NODES(Role.ADMIN, List.of("GET", "HEAD"), "/admin/v1/nodes"),
    NODE_CHANGE(Role.ADMIN, List.of("POST"), "/admin/v1/nodes/*"),
    REPLICAS(Role.ADMIN, List.of("GET", "HEAD"), "/admin/v1/replicas"),
    REPLICA_CHANGE(Role.ADMIN, List.of("POST"), "/admin/v1/replicas/*"),
    PLACED_MODELS(Role.ADMIN, List.of("GET", "HEAD"), "/admin/v1/models"),
    MODEL_CHANGE(Role.ADMIN, List.of("POST"), "/admin/v1/models/*"),
    DEMAND(Role.ADMIN, List.of("GET", "HEAD"), "/admin/v1/demand"),
    PLAN(Role.ADMIN, List.of("GET", "HEAD"), "/admin/v1/plan"),
    EVENTS(Role.ADMIN, List.of("GET"), "/admin/v1/events"),
    WHY(Role.ADMIN, List.of("GET", "HEAD"), "/admin/v1/why/*"),
    CHANGES(Role.ADMIN, List.of("GET", "HEAD"), "/admin/v1/changes"),
    CHANGE(Role.ADMIN, List.of("GET", "HEAD", "POST"), "/admin/v1/changes/*");

    private final Role port;

    @SuppressWarnings("ImmutableEnumChecker") // Made by List.of.
    private final List<String> methods;

    private final String path;

    /**
     * A route.
     *
     * @param port whose port it is, and the role that a key needs there
     * @param methods that it takes, as {@code Allow} lists them
     * @param path exact; {@code *} at its end stands for one character or more
     */
    Route(Role port, List<String> methods, String path) {
        this.port = port;
        this.methods = methods;
        this.path = path;
    }

    Role port() {
        return port;
    }

    String methods() {
        return String.join(", ", methods);
    }

    String path() {
        return path;
    }

    boolean takes(String method) {
        return methods.contains(method);
    }

    /** What stands for the {@code *} of the path, empty where it has none. */
    String rest(String requested) {
        return path.endsWith("*") ? requested.substring(path.length() - 1) : "";
    }

    private boolean matches(String requested) {
        return path.endsWith("*")
                ? requested.length() >= path.length() && requested.startsWith(path.substring(0, path.length() - 1))
                : requested.equals(path);
    }

    static Optional<Route> find(Role port, String requested) {
        return Arrays.stream(values())
                .filter(route -> route.port == port && route.matches(requested))
                .findFirst();
    }
}
