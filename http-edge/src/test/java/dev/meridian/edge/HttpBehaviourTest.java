package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.protocol.Prompt;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.TokenIds;
import dev.meridian.protocol.cluster.Residency;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class HttpBehaviourTest {
    private static final String HELLO = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final ScriptedReplica REPLICA = new ScriptedReplica(ScriptedReplica.saying("ok"));
    private static EdgeFixture edge;

    @BeforeAll
    static void start() {
        edge = new EdgeFixture("meridian.edge { max-body-bytes = 4000, body-read-timeout = 300ms, ready-cache = 1s,"
                + " heartbeat-silence = 1s, accept-timeout = 1s }");
        edge.serve("atlas", REPLICA);
    }

    @AfterAll
    static void stop() {
        edge.close();
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of(new Refusal.QueueFull(8), 429, "queue_full", "1"),
                Arguments.of(new Refusal.PromptTooLong(600, true, 512), 400, "context_length_exceeded", ""),
                Arguments.of(new Refusal.KvBudgetExceeded(9, 8), 400, "kv_budget_exceeded", ""),
                Arguments.of(new Refusal.ModelUnknown("atlas"), 404, "model_not_found", ""),
                Arguments.of(new Refusal.ModelNotReady("atlas"), 503, "model_not_ready", "2"),
                Arguments.of(new Refusal.InvalidRequest("stop", "no"), 400, "invalid_value", ""),
                Arguments.of(new Refusal.TemplateFailed("roles must alternate", 3), 400, "template_failed", ""),
                Arguments.of(new Refusal.DeadlineExceeded(), 504, "deadline_exceeded", ""),
                Arguments.of(new Refusal.DuplicateAttempt(), 503, "duplicate_attempt", "1"),
                Arguments.of(new Refusal.EngineFailed("secret path"), 500, "engine_failed", ""));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void aRefusalHasItsStatusCodeAndRetryAdvice(Refusal refusal, int status, String code, String retryAfter) {
        REPLICA.setScript((submit, self) -> submit.edge().tell(new StreamEvent.Refused(submit.attempt(), refusal)));
        for (String body : List.of(HELLO, HELLO.replace("{\"model", "{\"stream\":true,\"model"))) {
            HttpResponse<String> response = edge.post(EdgeFixture.CHAT, body);
            assertThat(response.statusCode()).isEqualTo(status);
            assertThat(response.body()).contains("\"code\":\"" + code + "\"").doesNotContain("secret");
            assertThat(response.headers().firstValue("retry-after").orElse("")).isEqualTo(retryAfter);
            assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
        }
        assertThat(edge.get(edge.adminUri("/metrics")).body())
                .contains("meridian_refusals_total{reason=\"" + code + "\"}");
    }

    @Test
    void anErrorAfterTheFirstTokenEndsTheStreamWithoutDone() {
        REPLICA.setScript((submit, self) -> {
            ScriptedReplica.accept(submit, self, 3);
            ScriptedReplica.batch(submit, self, 1, ScriptedReplica.entry(submit, 0, 0, "Hel", false));
            submit.edge().tell(new StreamEvent.Refused(submit.attempt(), new Refusal.EngineFailed("secret")));
        });
        HttpResponse<String> response =
                edge.post(EdgeFixture.CHAT, HELLO.replace("{\"model", "{\"stream\":true,\"model"));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body())
                .contains("\"content\":\"Hel\"")
                .endsWith("data: {\"error\":{\"message\":\"The engine failed while serving this request.\","
                        + "\"type\":\"server_error\",\"param\":null,\"code\":\"engine_failed\"}}\n\n");
        HttpResponse<String> whole = edge.post(EdgeFixture.CHAT, HELLO);
        assertThat(whole.statusCode()).isEqualTo(500);
    }

    @Test
    void aStreamMovesToAnotherReplicaWithoutLoss() {
        edge.serve("moving", REPLICA);
        REPLICA.setScript((submit, self) -> {
            ScriptedReplica.accept(submit, self, 3);
            ScriptedReplica.batch(submit, self, 1, ScriptedReplica.entry(submit, 0, 0, "one ", false));
            ScriptedReplica second = new ScriptedReplica((again, other) -> {
                assertThat(again.prompt()).isEqualTo(new Prompt.Tokens(TokenIds.of(1, 2, 3)));
                assertThat(again.emitted()).containsExactly(TokenIds.of(100));
                ScriptedReplica.accept(again, other, 3);
                ScriptedReplica.batch(again, other, 1, ScriptedReplica.entry(again, 0, 1, "two", true));
            });
            edge.serve("moving", second);
        });
        HttpResponse<String> response = edge.post(EdgeFixture.CHAT, HELLO.replace("atlas", "moving"));
        assertThat(response.body()).contains("\"content\":\"one two\"").contains("\"completion_tokens\":2");
        edge.models.remove("moving");
    }

    @Test
    void modelsAreListedAndFound() {
        String atlas = "{\"id\":\"atlas\",\"object\":\"model\",\"created\":1699999000,\"owned_by\":\"meridian\"}";
        assertThat(edge.get(edge.uri("/v1/models")).body()).isEqualTo("{\"object\":\"list\",\"data\":[" + atlas + "]}");
        assertThat(edge.get(edge.uri("/v1/models/atlas")).body()).isEqualTo(atlas);
        HttpResponse<String> unknown = edge.get(edge.uri("/v1/models/nope"));
        assertThat(unknown.statusCode()).isEqualTo(404);
        assertThat(unknown.body()).contains("model_not_found").contains("'nope'");
        HttpResponse<String> completion = edge.post(EdgeFixture.CHAT, HELLO.replace("atlas", "nope"));
        assertThat(completion.statusCode()).isEqualTo(404);
        assertThat(completion.body())
                .isEqualTo("{\"error\":{\"message\":\"The model 'nope' does not exist.\","
                        + "\"type\":\"invalid_request_error\",\"param\":\"model\",\"code\":\"model_not_found\"}}");
    }

    @ParameterizedTest
    @CsvSource({
        "GET,/v1/chat/completions,405,POST",
        "DELETE,/v1/models,405,'GET, HEAD'",
        "GET,/v1/nothing,404,''",
        "GET,/,404,''",
        "POST,/v1/models/atlas,405,'GET, HEAD'",
        "HEAD,/v1/models,200,''"
    })
    void wrongMethodsAndPathsAreErrorObjects(String method, String path, int status, String allow) {
        HttpResponse<String> response = edge.send(HttpRequest.newBuilder(edge.uri(path))
                .method(method, BodyPublishers.noBody())
                .build());
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(response.headers().firstValue("allow").orElse("")).isEqualTo(allow);
        if (status != 200) {
            assertThat(response.body()).startsWith("{\"error\":{\"message\":");
        }
    }

    @ParameterizedTest
    @CsvSource({"text/plain,415", "application/jsonl,415", "application/json; charset=utf-8,200"})
    void onlyJsonIsTaken(String contentType, int status) {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        HttpResponse<String> response = edge.send(HttpRequest.newBuilder(edge.uri(EdgeFixture.CHAT))
                .header("Content-Type", contentType)
                .POST(BodyPublishers.ofString(HELLO))
                .build());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    }

    @Test
    void aBodyOverTheLimitIsRefused() {
        HttpResponse<String> announced = edge.post(EdgeFixture.CHAT, "x".repeat(4001));
        assertThat(announced.statusCode()).isEqualTo(413);
        assertThat(announced.body()).contains("body_too_large");
        HttpResponse<String> chunked = edge.send(HttpRequest.newBuilder(edge.uri(EdgeFixture.CHAT))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(new byte[4001])))
                .build());
        assertThat(chunked.statusCode()).isEqualTo(413);
    }

    @Test
    void requestIdsAreGivenBackOrMade() {
        HttpResponse<String> given = edge.get(edge.uri("/v1/models"), "X-Request-Id", "abc-1");
        assertThat(given.headers().firstValue("x-request-id")).hasValue("abc-1");
        HttpResponse<String> made = edge.get(edge.uri("/v1/nothing"), "X-Request-Id", "a b");
        assertThat(made.headers().firstValue("x-request-id").orElse("")).matches("req-[0-9A-Za-z]{24}");
    }

    @Test
    void pagesOfThisMachineMayReadRepliesErrorsAndStreams() {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        String stream = HELLO.replace("{\"model", "{\"stream\":true,\"model");
        for (HttpResponse<String> response : List.of(
                edge.post(EdgeFixture.CHAT, HELLO, "Origin", "http://localhost:3000"),
                edge.post(EdgeFixture.CHAT, "{", "Origin", "http://localhost:3000"),
                edge.post(EdgeFixture.CHAT, stream, "Origin", "http://localhost:3000"))) {
            assertThat(response.headers().firstValue("access-control-allow-origin"))
                    .hasValue("http://localhost:3000");
            assertThat(response.headers()
                            .firstValue("access-control-expose-headers")
                            .orElse(""))
                    .startsWith("x-request-id, meridian-served-by, retry-after, server-timing, ");
            assertThat(response.headers().firstValue("access-control-allow-credentials"))
                    .isEmpty();
        }
        HttpResponse<String> preflight = edge.send(HttpRequest.newBuilder(edge.uri(EdgeFixture.CHAT))
                .method("OPTIONS", BodyPublishers.noBody())
                .header("Origin", "http://localhost:3000")
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization,content-type,x-stainless-os")
                .build());
        assertThat(preflight.statusCode()).isEqualTo(204);
        assertThat(preflight.headers().firstValue("access-control-allow-origin"))
                .hasValue("http://localhost:3000");
        assertThat(preflight.headers().firstValue("access-control-allow-methods"))
                .hasValue("POST");
        assertThat(preflight.headers().firstValue("access-control-allow-headers"))
                .hasValue("authorization,content-type,x-stainless-os");
    }

    @Test
    void healthTellsLifeFromReadiness() {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        assertThat(edge.get(edge.adminUri("/health/live")).statusCode()).isEqualTo(200);
        edge.nowMillis.addAndGet(1000);
        REPLICA.drain();
        HttpResponse<String> ready = edge.get(edge.adminUri("/health/ready"));
        assertThat(edge.get(edge.adminUri("/health/ready")).body()).isEqualTo(ready.body());
        assertThat(ready.body()).isEqualTo("{\"status\":\"ready\",\"models\":[{\"id\":\"atlas\",\"ready\":true}]}");
        assertThat(ready.statusCode()).isEqualTo(200);
        assertThat(REPLICA.drain()).as("the second answer is the first's").hasSize(1);
        REPLICA.setScript((submit, _) ->
                submit.edge().tell(new StreamEvent.Refused(submit.attempt(), new Refusal.EngineFailed("x"))));
        edge.nowMillis.addAndGet(1000);
        HttpResponse<String> broken = edge.get(edge.adminUri("/health/ready"));
        assertThat(broken.statusCode()).isEqualTo(503);
        assertThat(broken.body())
                .isEqualTo("{\"status\":\"not ready\",\"models\":"
                        + "[{\"id\":\"atlas\",\"ready\":false,\"problem\":\"engine_failed\"}]}");
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        edge.nowMillis.addAndGet(250);
        assertThat(edge.get(edge.adminUri("/health/ready")).statusCode()).isEqualTo(200);
    }

    @Test
    void everyReplicaThatIsPlacedHereHasToAnswer() {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        ServedModel atlas = edge.directory().find("atlas").orElseThrow();
        ActorRef<ReplicaCommand> host = edge.directory()
                .replica("atlas", Residency.ANYWHERE, null)
                .orElseThrow()
                .host();
        try {
            edge.duties = List.of(new ModelDirectory.Duty(atlas, "eu~atlas~1", host));
            edge.nowMillis.addAndGet(1000);
            assertThat(edge.get(edge.adminUri("/health/ready")).body())
                    .isEqualTo("{\"status\":\"ready\",\"models\":"
                            + "[{\"id\":\"atlas\",\"replica\":\"eu~atlas~1\",\"ready\":true}]}");
            edge.duties = List.of(
                    new ModelDirectory.Duty(atlas, "eu~atlas~1", host),
                    new ModelDirectory.Duty(atlas, "eu~atlas~2", null));
            edge.nowMillis.addAndGet(1000);
            HttpResponse<String> loading = edge.get(edge.adminUri("/health/ready"));
            assertThat(loading.statusCode()).isEqualTo(503);
            assertThat(loading.body())
                    .contains("\"replica\":\"eu~atlas~1\",\"ready\":true")
                    .contains("\"replica\":\"eu~atlas~2\",\"ready\":false,\"problem\":\"loading\"");
        } finally {
            edge.duties = null;
        }
    }

    @Test
    void aModelTooBusyForTheCheckIsReadyWhileItsClientsGetTokens() {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        edge.nowMillis.addAndGet(1000);
        assertThat(edge.get(edge.adminUri("/health/ready")).statusCode()).isEqualTo(200);
        edge.post(EdgeFixture.CHAT, HELLO);
        REPLICA.setScript(
                (submit, _) -> submit.edge().tell(new StreamEvent.Refused(submit.attempt(), new Refusal.QueueFull(1))));
        edge.nowMillis.addAndGet(1000);
        assertThat(edge.get(edge.adminUri("/health/ready")).statusCode()).isEqualTo(200);
        edge.nowMillis.addAndGet(1000);
        HttpResponse<String> stuck = edge.get(edge.adminUri("/health/ready"));
        assertThat(stuck.statusCode()).as("no token since the last check").isEqualTo(503);
        assertThat(stuck.body()).contains("queue_full");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "/admin/v1/nodes/eu-1:drain; node_unknown",
                "/admin/v1/replicas/eu~m~0123456789ab~1:move; region_unknown",
                "/admin/v1/models/m:place; region_unknown",
                "/admin/v1/models/m:unplace; region_unknown",
                "/admin/v1/changes/chg-1:undo; change_unknown",
                "/admin/v1/changes/chg-1; unknown_url",
            })
    void changesAreAskedOfTheAdminPort(String path, String code) {
        String body = switch (path.substring(path.indexOf(':') + 1)) {
            case "move" -> "{\"to\":\"eu-1\"}";
            case "place" -> "{\"region\":\"eu\",\"replicas\":1}";
            case "unplace" -> "{\"region\":\"eu\"}";
            default -> "{}";
        };
        HttpResponse<String> response = edge.send(HttpRequest.newBuilder(edge.adminUri(path))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build());

        assertThat(response.statusCode()).as(response.body()).isEqualTo(404);
        assertThat(response.body()).contains("\"code\":\"" + code + "\"");
    }

    @Test
    void metricsCountTokensAndTimes() {
        REPLICA.setScript(ScriptedReplica.saying("a", "b", "c"));
        edge.post(EdgeFixture.CHAT, HELLO);
        String metrics = edge.get(edge.adminUri("/metrics")).body();
        assertThat(metrics)
                .contains("meridian_ttft_seconds_bucket{model=\"atlas\",le=\"0.1\"}")
                .contains("meridian_inter_token_latency_seconds_count{model=\"atlas\"}")
                .contains("meridian_queue_seconds_sum{model=\"atlas\"}")
                .contains("meridian_prefill_tokens_total{model=\"atlas\"}")
                .contains("meridian_decode_tokens_total{model=\"atlas\"}")
                .contains("meridian_streams_active 0.0")
                .contains("meridian_journal_bytes 0.0");
    }

    @Test
    void aTakenPortIsNamed() {
        assertThatThrownBy(() -> HttpEdge.start(
                                edge.kit.system(),
                                edge.settings("meridian.edge.client-port = "
                                        + edge.edge
                                                .clientAddress()
                                                .orElseThrow()
                                                .getPort()),
                                edge.directory(),
                                Meters.of(edge.registry),
                                null)
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOf(BindException.class)
                .hasMessageContaining("cannot listen at 127.0.0.1:"
                        + edge.edge.clientAddress().orElseThrow().getPort())
                .hasMessageContaining("Address already in use");
    }

    @Test
    void stoppingLetsARunningReplyFinish() {
        try (EdgeFixture stopping = new EdgeFixture("")) {
            ScriptedReplica replica = new ScriptedReplica((submit, self) -> ScriptedReplica.accept(submit, self, 3));
            var self = stopping.serve("atlas", replica);
            var reply = stopping.client.sendAsync(
                    HttpRequest.newBuilder(stopping.uri(EdgeFixture.CHAT))
                            .header("Content-Type", "application/json")
                            .POST(BodyPublishers.ofString(HELLO))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            Submit submit = replica.expect(Submit.class);
            var stopped = stopping.stop(Duration.ofSeconds(20));
            submit.edge()
                    .tell(new StreamEvent.StepBatch(
                            self, 1, List.of(ScriptedReplica.entry(submit, 0, 0, "bye", true))));
            assertThat(EdgeFixture.await(reply).body()).contains("\"content\":\"bye\"");
            EdgeFixture.await(stopped);
        }
    }
}
