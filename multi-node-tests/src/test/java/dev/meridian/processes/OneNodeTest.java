package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.DoublePredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The models that ship, served by a process as a user starts it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OneNodeTest {
    private static final Path MODELS = Path.of(System.getProperty("meridian.root"), "models");
    private static final String QUESTION = "[{\"role\":\"user\",\"content\":\"What is the capital of Peru?\"}]";
    private static final String DECODED = "meridian_engine_decode_tokens_total{model=\"atlas\"}";
    private static final String ANSWER = "The capital of Peru is Lima.";

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final JsonMapper json = new JsonMapper();
    private NodeProcess node;

    @BeforeAll
    void start() throws Exception {
        node = NodeProcess.up(MODELS);
        node.api();
    }

    @AfterAll
    void stop() {
        node.close();
    }

    private HttpRequest post(String path, String body) throws Exception {
        return HttpRequest.newBuilder(node.api().resolve(path))
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    private HttpResponse<String> get(URI uri) throws Exception {
        return http.send(
                HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(30)).build(), BodyHandlers.ofString());
    }

    private static String chat(String more) {
        return "{\"model\":\"atlas\",\"temperature\":0,\"messages\":" + QUESTION + more + "}";
    }

    /** The events of a stream without the last one, which must be the end mark. */
    private List<JsonNode> events(Stream<String> lines) throws Exception {
        List<String> data = lines.filter(line -> line.startsWith("data: "))
                .map(line -> line.substring("data: ".length()))
                .toList();
        assertThat(data.getLast()).isEqualTo("[DONE]");
        List<JsonNode> events = new java.util.ArrayList<>();
        for (String event : data.subList(0, data.size() - 1)) {
            events.add(json.readTree(event));
        }
        return events;
    }

    private static String content(List<JsonNode> events, int choice) {
        StringBuilder text = new StringBuilder();
        for (JsonNode event : events) {
            for (JsonNode part : event.path("choices")) {
                if (part.path("index").asInt() == choice) {
                    text.append(part.path("delta").path("content").asText(""));
                }
            }
        }
        return text.toString();
    }

    @Test
    void streamsAnAnswerWordByWord() throws Exception {
        HttpResponse<Stream<String>> response =
                http.send(post("/v1/chat/completions", chat(",\"stream\":true")), BodyHandlers.ofLines());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/event-stream"));
        List<JsonNode> events = events(response.body());
        assertThat(content(events, 0)).isEqualTo(ANSWER);
        assertThat(events.size()).isGreaterThan(3);
    }

    @Test
    void bothVariantsAnswerWhole() throws Exception {
        for (String model : List.of("atlas", "atlas-int4")) {
            String body = chat("").replace("\"atlas\"", '"' + model + '"');
            JsonNode reply = json.readTree(http.send(post("/v1/chat/completions", body), BodyHandlers.ofString())
                    .body());
            assertThat(reply.at("/choices/0/message/content").asText()).isEqualTo(ANSWER);
            assertThat(reply.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
        }
    }

    @Test
    void severalChoicesStreamTogether() throws Exception {
        HttpResponse<Stream<String>> response = http.send(
                post("/v1/chat/completions", chat(",\"stream\":true,\"n\":3,\"logprobs\":true,\"top_logprobs\":2")),
                BodyHandlers.ofLines());
        List<JsonNode> events = events(response.body());
        for (int choice = 0; choice < 3; choice++) {
            assertThat(content(events, choice)).isEqualTo(ANSWER);
        }
        assertThat(events.stream()
                        .anyMatch(event -> event.at("/choices/0/logprobs/content/0/top_logprobs/1/token")
                                .isTextual()))
                .isTrue();
    }

    @Test
    void anUnknownModelIsNotFound() throws Exception {
        HttpResponse<String> response = http.send(
                post("/v1/chat/completions", chat("").replace("\"atlas\"", "\"nobody\"")), BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(404);
        assertThat(json.readTree(response.body()).at("/error/code").asText()).isEqualTo("model_not_found");
    }

    @Test
    void aClientThatLeavesFreesItsSlot() throws Exception {
        // A prompt that the model rambles on for long: high temperature, no end in sight.
        String body = "{\"model\":\"atlas\",\"temperature\":2,\"stream\":true,\"n\":8,\"logit_bias\":{" + endTokens()
                + "},\"messages\":" + QUESTION + "}";
        HttpResponse<InputStream> response =
                http.send(post("/v1/chat/completions", body), BodyHandlers.ofInputStream());
        try (InputStream stream = response.body()) {
            assertThat(stream.readNBytes(10)).hasSize(10);
        }
        double before = metric(DECODED).orElse(0);
        awaitMetric("meridian_batch_size{model=\"atlas\"}", value -> value == 0);
        awaitMetric("meridian_kv_bytes{model=\"atlas\"}", value -> value == 0);
        // Eight replies that nobody stops fill the context: nearly four thousand tokens.
        assertThat(metric(DECODED).orElseThrow() - before).isLessThan(2_000);
    }

    /** Never the end of the reply. */
    private static String endTokens() {
        return Stream.of(0, 1, 2).map(id -> "\"" + id + "\":-100").collect(java.util.stream.Collectors.joining(","));
    }

    private OptionalDouble metric(String name) throws Exception {
        return get(node.admin().resolve("/metrics"))
                .body()
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst();
    }

    private void awaitMetric(String name, DoublePredicate holds) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        OptionalDouble last = metric(name);
        while (last.isEmpty() || !holds.test(last.getAsDouble())) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(name + " is " + last + "\n" + node.output());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            last = metric(name);
        }
    }

    @Test
    void isLiveAndReady() throws Exception {
        assertThat(get(node.admin().resolve("/health/live")).statusCode()).isEqualTo(200);
        assertThat(get(node.admin().resolve("/health/ready")).statusCode()).isEqualTo(200);
        assertThat(json.readTree(get(node.api().resolve("/v1/models")).body()).findValuesAsText("id"))
                .containsExactly("atlas", "atlas-int4");
    }

    @Test
    void stopsCleanlyWhenTold() throws Exception {
        try (NodeProcess other = NodeProcess.up(MODELS)) {
            other.api();
            // 128 + SIGTERM: what a supervisor expects of a process that it ended.
            assertThat(other.terminate()).isEqualTo(143);
            assertThat(other.output()).endsWith("Stopped.");
        }
    }
}
