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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is told to stop while it generates. */
class StoppingTest {
    private static final Path MODELS = Path.of(System.getProperty("meridian.root"), "models");
    private static final int TOKENS = 400;
    private static final int CHOICES = 8;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final JsonMapper json = new JsonMapper();

    private static HttpRequest chat(URI api, String more) {
        return HttpRequest.newBuilder(api.resolve("/v1/chat/completions"))
                .timeout(Duration.ofMinutes(3))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"model\":\"atlas\",\"temperature\":0," + more
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"What is the capital of Peru?\"}]}"))
                .build();
    }

    /** Streams that have begun, and together go on for some seconds: no token of theirs may be the last one early. */
    private List<HttpResponse<InputStream>> longStreams(URI api, int count) throws Exception {
        List<HttpResponse<InputStream>> streams = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            HttpRequest request = chat(
                    api,
                    "\"stream\":true,\"stream_options\":{\"include_usage\":true},\"n\":" + CHOICES + ",\"max_tokens\":"
                            + TOKENS + ",\"logit_bias\":{\"0\":-100,\"1\":-100,\"2\":-100},");
            streams.add(http.send(request, BodyHandlers.ofInputStream()));
            assertThat(streams.getLast().statusCode()).isEqualTo(200);
        }
        return streams;
    }

    private static List<String> events(HttpResponse<InputStream> response) throws Exception {
        return new String(response.body().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith("data: "))
                .map(line -> line.substring("data: ".length()))
                .toList();
    }

    @Test
    void streamsThatRunEndWholeAndNewRequestsAreRefused(@TempDir Path folder) throws Exception {
        Path patient = Files.writeString(folder.resolve("patient.conf"), "meridian.node.stop-grace = 5m");
        try (NodeProcess node = NodeProcess.up(MODELS, "--config", patient.toString())) {
            URI api = node.api();
            List<HttpResponse<InputStream>> streams = longStreams(api, 4);
            HttpResponse<InputStream> question = http.send(chat(api, "\"stream\":true,"), BodyHandlers.ofInputStream());
            node.tellToStop();
            node.awaitOutput("Stopping ...");
            HttpResponse<String> refused = http.send(chat(api, ""), BodyHandlers.ofString());
            HttpResponse<String> ready = http.send(
                    HttpRequest.newBuilder(node.admin().resolve("/health/ready"))
                            .build(),
                    BodyHandlers.ofString());
            assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
            assertThat(json.readTree(refused.body()).at("/error/code").asText()).isEqualTo("shutting_down");
            assertThat(refused.headers().firstValue("Retry-After")).hasValue("5");
            assertThat(ready.statusCode()).isEqualTo(503);
            assertThat(ready.body()).isEqualTo("{\"status\":\"stopping\"}");

            for (HttpResponse<InputStream> stream : streams) {
                List<String> events = events(stream);
                assertThat(events.getLast()).isEqualTo("[DONE]");
                JsonNode usage = json.readTree(events.get(events.size() - 2)).path("usage");
                assertThat(usage.path("completion_tokens").asInt()).isEqualTo(CHOICES * TOKENS);
                assertThat(events)
                        .filteredOn(event -> event.contains("\"finish_reason\":\"length\""))
                        .hasSize(CHOICES);
            }
            StringBuilder answer = new StringBuilder();
            List<String> events = events(question);
            assertThat(events.getLast()).isEqualTo("[DONE]");
            for (String event : events.subList(0, events.size() - 1)) {
                answer.append(
                        json.readTree(event).at("/choices/0/delta/content").asText(""));
            }
            assertThat(answer.toString()).isEqualTo("The capital of Peru is Lima.");
            assertThat(node.awaitExit()).isEqualTo(143);
            assertThat(node.output()).endsWith("Stopped.");
        }
    }

    @Test
    void aSecondSignalEndsTheProcessAtOnce() throws Exception {
        try (NodeProcess node = NodeProcess.up(MODELS)) {
            longStreams(node.api(), 12);
            node.tellToStop();
            node.awaitOutput("Stopping ...");
            node.tellToStop();
            assertThat(node.awaitExit()).isEqualTo(143);
            assertThat(node.output()).doesNotContain("Stopped.");
        }
    }
}
