package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.access.KeyFile;
import dev.meridian.edge.access.Keys;
import dev.meridian.edge.access.Role;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who gets in, over real sockets: keys on every route, hosts and origins, limits. */
final class AccessTest {
    private static final String HELLO = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = HELLO.replace("{\"model", "{\"stream\":true,\"model");
    private static final ScriptedReplica REPLICA = new ScriptedReplica(ScriptedReplica.saying("ok"));

    @TempDir
    private static Path folder;

    private static Path keys;
    private static EdgeFixture closed;
    private static EdgeFixture open;

    @BeforeAll
    static void start() {
        keys = folder.resolve("keys.json");
        Instant before = Instant.ofEpochSecond(EdgeFixture.NOW);
        Keys.write(
                keys,
                Keys.key("client", "mk-client", Role.CLIENT, List.of(), before.plusSeconds(1)),
                Keys.key("admin", "mk-admin", Role.ADMIN, List.of(), null),
                Keys.key("expired", "mk-expired", Role.ADMIN, List.of(), before),
                Keys.key("one-model", "mk-one-model", Role.CLIENT, List.of("atlas"), null),
                Keys.limited("two-requests", "mk-two-requests", 2, 0, 0),
                Keys.limited("few-tokens", "mk-few-tokens", 0, 4, 0),
                Keys.limited("one-stream", "mk-one-stream", 0, 0, 1));
        closed = new EdgeFixture(
                "meridian.edge { auth = always, reload-interval = 50ms, keys-file = \"" + keys + "\" }");
        closed.serve("atlas", REPLICA);
        closed.serve("other", REPLICA);
        open = new EdgeFixture("meridian.edge { allowed-hosts = [proxy.lan], max-body-bytes = 4000 }");
        open.serve("atlas", REPLICA);
    }

    @AfterAll
    static void stop() {
        closed.close();
        open.close();
    }

    private static URI uri(Route route) {
        String path = route.path().replace("*", "atlas");
        return route.port() == Role.CLIENT ? closed.uri(path) : closed.adminUri(path);
    }

    private static HttpResponse<String> call(Route route, String... headers) {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(route))
                .timeout(Duration.ofSeconds(20))
                .header("Content-Type", "application/json");
        if (headers.length > 0) {
            request.headers(headers);
        }
        return closed.send(
                route.takes("POST")
                        ? request.POST(BodyPublishers.ofString(HELLO)).build()
                        : request.build());
    }

    private static void refuses(HttpResponse<String> response, int status, String code, String challenge) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.body()).startsWith("{\"error\":{").contains("\"code\":\"" + code + "\"");
        assertThat(response.headers().firstValue("www-authenticate").orElse("")).isEqualTo(challenge);
    }

    @ParameterizedTest
    @EnumSource
    void noRouteAnswersWithoutAKey(Route route) {
        refuses(call(route), 401, "invalid_api_key", "Bearer realm=\"meridian\"");
        refuses(call(route, "Authorization", "Basic bWs6eA=="), 401, "invalid_api_key", "Bearer realm=\"meridian\"");
    }

    @ParameterizedTest
    @EnumSource
    void noRouteAnswersAWrongAnExpiredOrARevokedKey(Route route) {
        Keys.add(keys, Keys.key("revoked", "mk-revoked", Role.ADMIN, List.of(), null));
        await(() -> call(route, "Authorization", "Bearer mk-revoked").statusCode() != 401);
        new KeyFile(keys)
                .update(all -> all.stream()
                        .filter(key -> !key.name().equals("revoked"))
                        .toList());
        await(() -> call(route, "Authorization", "Bearer mk-revoked").statusCode() == 401);
        String challenge = "Bearer realm=\"meridian\", error=\"invalid_token\"";
        for (String secret : List.of("mk-revoked", "mk-expired", "mk-wrong", "mk-admin2", "mk-admi")) {
            refuses(call(route, "Authorization", "Bearer " + secret), 401, "invalid_api_key", challenge);
        }
    }

    /** There are none of them here. */
    private static final Set<Route> ABOUT_ONE_THING = EnumSet.of(
            Route.NODE_CHANGE, Route.REPLICA_CHANGE, Route.MODEL_CHANGE, Route.CHANGE, Route.STREAM, Route.WHY);

    @ParameterizedTest
    @EnumSource
    void everyRouteAnswersTheRolesOfItsPort(Route route) {
        if (route == Route.COMPLETIONS) {
            assertThat(call(route, "Authorization", "Bearer mk-client").body()).contains("prompt");
            assertThat(call(route, "authorization", "bearer mk-admin").body()).contains("prompt");
            return;
        }
        HttpResponse<String> admin = call(route, "Authorization", "Bearer mk-admin");
        if (ABOUT_ONE_THING.contains(route)) {
            assertThat(admin.statusCode()).as(admin.body()).isEqualTo(404);
            assertThat(admin.body())
                    .containsAnyOf("change_unknown", "unknown_url", "stream_not_found", "nothing_known");
        } else {
            assertThat(admin.statusCode()).isIn(200, 503);
        }
        HttpResponse<String> client = call(route, "Authorization", "Bearer mk-client");
        if (route.port() == Role.CLIENT) {
            assertThat(client.statusCode()).isEqualTo(route == Route.STREAM ? 404 : 200);
        } else {
            refuses(client, 403, "role_forbidden", "Bearer realm=\"meridian\", error=\"insufficient_scope\"");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/v1/nothing", "/health/live", "/metrics"})
    void whatIsNoRouteIsNotToldFromOneWithoutAKey(String path) {
        refuses(closed.get(closed.uri(path)), 401, "invalid_api_key", "Bearer realm=\"meridian\"");
        assertThat(closed.get(closed.uri(path), "Authorization", "Bearer mk-client")
                        .statusCode())
                .isEqualTo(404);
    }

    @Test
    void aRefusalDoesNotWaitForTheBody() throws IOException {
        try (RawClient client = new RawClient(closed.edge.clientAddress().orElseThrow())) {
            client.send(
                    "POST " + EdgeFixture.CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            + "Content-Length: 100\r\n\r\n{");
            assertThat(client.readUntil("invalid_api_key")).startsWith("HTTP/1.1 401 ");
        }
    }

    @Test
    void aKeyOfSomeModelsSeesAndUsesThoseAlone() {
        String[] key = {"Authorization", "Bearer mk-one-model"};
        assertThat(closed.get(closed.uri("/v1/models"), key).body())
                .contains("\"atlas\"")
                .doesNotContain("\"other\"");
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        assertThat(closed.post(EdgeFixture.CHAT, HELLO, key).statusCode()).isEqualTo(200);
        for (String model : List.of("other", "nowhere")) {
            refuses(closed.get(closed.uri("/v1/models/" + model), key), 403, "model_forbidden", "");
            refuses(closed.post(EdgeFixture.CHAT, HELLO.replace("atlas", model), key), 403, "model_forbidden", "");
        }
    }

    @Test
    void requestsPastAKeysRateAreToldWhenToComeBack() {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        String[] key = {"Authorization", "Bearer mk-two-requests"};
        HttpResponse<String> first = closed.post(EdgeFixture.CHAT, HELLO, key);
        assertThat(first.headers().firstValue("x-ratelimit-limit-requests")).hasValue("2");
        assertThat(first.headers().firstValue("x-ratelimit-remaining-requests")).hasValue("1");
        assertThat(closed.post(EdgeFixture.CHAT, "{", key).statusCode()).isEqualTo(400);
        HttpResponse<String> third = closed.post(EdgeFixture.CHAT, HELLO, key);
        refuses(third, 429, "rate_limit_exceeded", "");
        assertThat(third.headers()
                        .firstValue("retry-after")
                        .map(Integer::valueOf)
                        .orElse(0))
                .isBetween(1, 30);
        assertThat(third.headers().firstValue("x-ratelimit-remaining-requests")).hasValue("0");
    }

    @Test
    void tokensOfPromptAndReplyCountWhenAStreamEnds() {
        REPLICA.setScript(ScriptedReplica.saying("a", "b"));
        String[] key = {"Authorization", "Bearer mk-few-tokens"};
        // Three of the prompt and two of the reply: one more than the bucket held.
        assertThat(closed.post(EdgeFixture.CHAT, STREAM, key).body()).endsWith("data: [DONE]\n\n");
        HttpResponse<String> next = closed.post(EdgeFixture.CHAT, STREAM, key);
        refuses(next, 429, "rate_limit_exceeded", "");
        assertThat(next.body()).contains("4 tokens per minute");
    }

    static Stream<Arguments> endings() {
        return Stream.of(
                Arguments.of("ended well", ScriptedReplica.saying("ok")),
                Arguments.of("refused", (ScriptedReplica.Script) (submit, _) ->
                        submit.edge().tell(new StreamEvent.Refused(submit.attempt(), new Refusal.QueueFull(1)))),
                Arguments.of("failed", (ScriptedReplica.Script) (submit, replica) -> {
                    ScriptedReplica.accept(submit, replica, 3);
                    submit.edge().tell(new StreamEvent.Refused(submit.attempt(), new Refusal.EngineFailed("x")));
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("endings")
    void aStreamGivesItsPlaceBackHoweverItEnds(String how, ScriptedReplica.Script script) {
        String[] key = {"Authorization", "Bearer mk-one-stream"};
        for (String body : List.of(HELLO, STREAM, HELLO, "{", HELLO.replace("atlas", "nowhere"), STREAM)) {
            REPLICA.setScript(script);
            await(() -> closed.post(EdgeFixture.CHAT, body, key).statusCode() != 429
                    || !closed.post(EdgeFixture.CHAT, body, key).body().contains("rate_limit_exceeded"));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatLeavesGivesItsPlaceBack(boolean stream) throws IOException {
        REPLICA.drain();
        REPLICA.setScript((submit, replica) -> ScriptedReplica.accept(submit, replica, 3));
        String key = "Bearer mk-one-stream";
        await(() -> {
            try (RawClient client = new RawClient(closed.edge.clientAddress().orElseThrow())) {
                client.post(EdgeFixture.CHAT, stream ? STREAM : HELLO, "Authorization: " + key);
                REPLICA.expect(Submit.class);
                HttpResponse<String> second = closed.post(EdgeFixture.CHAT, HELLO, "Authorization", key);
                refuses(second, 429, "rate_limit_exceeded", "");
                assertThat(second.body()).contains("1 replies at a time");
                return true;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        await(() -> closed.post(EdgeFixture.CHAT, HELLO, "Authorization", key).statusCode() == 200);
    }

    @ParameterizedTest
    @CsvSource({
        "Host: localhost, 200",
        "Host: a.localhost:1234, 200",
        "Host: 127.3.2.1:80, 200",
        "Host: [::1]:8080, 200",
        "Host: proxy.lan, 200",
        "Host: evil.example, 421",
        "Host: localhost.evil.example, 421",
        "Host: 127.0.0.1.nip.io:8080, 421",
        "Host: 0.0.0.0, 421",
        "X-No: host, 400",
        "'Host:', 400",
        "Host: localhost;Host: localhost, 400",
        "Host: localhost;Host: evil.example, 400"
    })
    void onlyLoopbackHostsAreServed(String header, int status) throws IOException {
        for (var address : List.of(
                open.edge.clientAddress().orElseThrow(),
                open.edge.adminAddress().orElseThrow())) {
            String path = address.equals(open.edge.clientAddress().orElseThrow()) ? "/v1/models" : "/health/live";
            try (RawClient client = new RawClient(address)) {
                client.send("GET " + path + " HTTP/1.1\r\n" + header.replace(";", "\r\n")
                        + "\r\nConnection: close\r\n\r\n");
                String answer = client.readToEnd();
                assertThat(answer).startsWith("HTTP/1.1 " + status + " ");
                assertThat(answer.contains("\"code\":\"" + (status == 421 ? "host_forbidden" : "malformed_request")))
                        .isEqualTo(status != 200);
            }
        }
    }

    @Test
    void anAbsoluteTargetIsItsHost() throws IOException {
        try (RawClient client = new RawClient(open.edge.clientAddress().orElseThrow())) {
            client.send(
                    "GET http://evil.example/v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 421 ");
        }
        try (RawClient client = new RawClient(open.edge.clientAddress().orElseThrow())) {
            client.send("GET http://evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 400 ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://evil.example", "null", "http://localhost.evil.example"})
    void pagesOfOtherOriginsAreRefusedBeforeTheBodyAndInPreflights(String origin) throws IOException {
        try (RawClient client = new RawClient(open.edge.clientAddress().orElseThrow())) {
            client.send("POST " + EdgeFixture.CHAT + " HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin
                    + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
            assertThat(client.readUntil("origin_forbidden"))
                    .startsWith("HTTP/1.1 403 ")
                    .doesNotContainIgnoringCase("access-control-allow-origin");
        }
        HttpResponse<String> preflight = open.send(HttpRequest.newBuilder(open.uri(EdgeFixture.CHAT))
                .method("OPTIONS", BodyPublishers.noBody())
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .build());
        refuses(preflight, 403, "origin_forbidden", "");
        assertThat(preflight.headers().firstValue("access-control-allow-origin"))
                .isEmpty();
    }

    @Test
    void noPageMayCallTheAdminPort() {
        HttpResponse<String> response = open.get(open.adminUri("/metrics"), "Origin", "http://localhost:3000");
        refuses(response, 403, "origin_forbidden", "");
        assertThat(response.headers().map().keySet()).noneMatch(name -> name.startsWith("access-control"));
    }

    @Test
    void aPreflightNeedsNoKeyAndTheRequestBehindItDoes() {
        HttpRequest.Builder request = HttpRequest.newBuilder(closed.uri(EdgeFixture.CHAT))
                .header("Origin", "http://localhost:3000")
                .header("Access-Control-Request-Method", "POST");
        assertThat(closed.send(request.method("OPTIONS", BodyPublishers.noBody())
                                .build())
                        .statusCode())
                .isEqualTo(204);
        HttpResponse<String> refused = closed.post(EdgeFixture.CHAT, HELLO, "Origin", "http://localhost:3000");
        refuses(refused, 401, "invalid_api_key", "Bearer realm=\"meridian\"");
        assertThat(refused.headers().firstValue("access-control-allow-origin")).hasValue("http://localhost:3000");
    }

    private static void await(BooleanSupplier condition) {
        closed.kit.createTestProbe().awaitAssert(Duration.ofSeconds(10), () -> {
            assertThat(condition.getAsBoolean()).isTrue();
            return null;
        });
    }
}
