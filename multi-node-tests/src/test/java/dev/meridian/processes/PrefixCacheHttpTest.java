package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What clients are told of the tokens that were cached, by a node with the model that ships; each key has its own. */
class PrefixCacheHttpTest {
    private static final Path MODELS = Path.of(System.getProperty("meridian.root"), "models");

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final JsonMapper json = new JsonMapper();

    @TempDir
    private Path folder;

    private record Usage(int promptTokens, int cachedTokens) {}

    @Test
    void aKeyFindsWhatItsOwnRequestsLeftAndNothingOfAnother() throws Exception {
        Path config = Files.writeString(
                folder.resolve("keys.conf"),
                "meridian.edge { auth = always, keys-file = \"" + folder.resolve("keys.json") + "\" }");
        String mine = newKey(config, "mine", "client");
        String other = newKey(config, "other", "client");
        String operator = newKey(config, "operator", "admin");
        ArrayNode talk = json.createArrayNode();
        say(talk, "user", "What is the capital of Peru? Answer with the name of the city, please, and nothing else.");
        try (NodeProcess node = NodeProcess.up(MODELS, "--config", config.toString())) {
            JsonNode first = json.readTree(post(node, mine, talk, false));
            assertThat(usage(first).cachedTokens()).isZero();
            int prompt = usage(first).promptTokens();
            assertThat(prompt).isGreaterThan(17);

            assertThat(usage(lastChunk(post(node, mine, talk, true)))).isEqualTo(new Usage(prompt, prompt - 1));
            assertThat(usage(json.readTree(post(node, other, talk, false)))).isEqualTo(new Usage(prompt, 0));
            assertThat(usage(json.readTree(post(node, other, talk, false)))).isEqualTo(new Usage(prompt, prompt - 1));

            say(talk, "assistant", first.at("/choices/0/message/content").asText());
            say(talk, "user", "And that of Chile?");
            Usage later = usage(json.readTree(post(node, mine, talk, false)));
            assertThat(later.cachedTokens()).isGreaterThanOrEqualTo(prompt).isLessThan(later.promptTokens());

            String metrics = get(node, operator);
            assertThat(metrics)
                    .contains("meridian_engine_cached_tokens_total{model=\"atlas\"} "
                            + (double) (2 * (prompt - 1) + later.cachedTokens()))
                    .contains("meridian_engine_cached_tokens_total{model=\"atlas-int4\"} 0.0");
            assertThat(value(metrics, "meridian_kv_kept_bytes{model=\"atlas\"}"))
                    .isPositive();
        }
    }

    private void say(ArrayNode talk, String role, String content) {
        talk.addObject().put("role", role).put("content", content);
    }

    private String post(NodeProcess node, String key, ArrayNode talk, boolean stream) throws Exception {
        ObjectNode body = json.createObjectNode().put("model", "atlas").put("temperature", 0);
        body.set("messages", talk);
        if (stream) {
            body.put("stream", true).putObject("stream_options").put("include_usage", true);
        }
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(node.api().resolve("/v1/chat/completions"))
                        .timeout(Duration.ofSeconds(60))
                        .header("Content-Type", "application/json")
                        .header("Authorization", "Bearer " + key)
                        .POST(BodyPublishers.ofString(json.writeValueAsString(body)))
                        .build(),
                BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }

    private String get(NodeProcess node, String key) throws Exception {
        return http.send(
                        HttpRequest.newBuilder(node.admin().resolve("/metrics"))
                                .header("Authorization", "Bearer " + key)
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    private static double value(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name));
    }

    /** The one that carries usage. */
    private JsonNode lastChunk(String events) throws Exception {
        List<String> data = events.lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> line.substring("data: ".length()))
                .toList();
        return json.readTree(data.getLast());
    }

    private static Usage usage(JsonNode reply) {
        JsonNode usage = reply.path("usage");
        assertThat(usage.at("/prompt_tokens_details/cached_tokens").isInt()).isTrue();
        return new Usage(
                usage.path("prompt_tokens").asInt(),
                usage.at("/prompt_tokens_details/cached_tokens").asInt());
    }

    private static String newKey(Path config, String name, String role) throws Exception {
        CliProcess.Ended ended =
                CliProcess.run("keys", "add", "--config", config.toString(), "--name", name, "--role", role);
        assertThat(ended.exitCode()).as(ended.output()).isZero();
        Matcher key = Pattern.compile("mk-[A-Za-z0-9_-]{43}").matcher(ended.output());
        assertThat(key.find()).as(ended.output()).isTrue();
        return key.group();
    }
}
