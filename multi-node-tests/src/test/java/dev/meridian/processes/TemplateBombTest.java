package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model whose chat template is a bomb, over HTTP: each request has its typed error, and another model's streams go on. */
class TemplateBombTest {
    private static final Path ATLAS = Path.of(System.getProperty("meridian.root"), "models", "atlas");
    private static final JsonMapper JSON = new JsonMapper();
    private static final Map<String, String> BOMBS = bombs();

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    Path folder;

    /** By the message that sets each of them off. */
    private static Map<String, String> bombs() {
        Map<String, String> bombs = new LinkedHashMap<>();
        bombs.put("loop", "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}");
        bombs.put("silent loop", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}");
        bombs.put("recursion", "{% macro f(n) %}{{ f(n + 1) ~ f(n + 2) }}{% endmacro %}{{ f(0) }}");
        bombs.put("multiplication", "{{ 'a' * 10**9 }}");
        bombs.put(
                "doubling",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}");
        bombs.put(
                "search",
                "{% set s = 'a' * 4000000 %}{% for i in range(99999) %}{% if 'b' in s %}{% endif %}{% endfor %}");
        bombs.put("power", "{{ 9**9**9 }}");
        return bombs;
    }

    private static String template() {
        StringBuilder template = new StringBuilder();
        BOMBS.forEach((message, bomb) -> template.append("{% if messages[0].content == '")
                .append(message)
                .append("' %}")
                .append(bomb)
                .append("{% endif %}"));
        return template + "{{ messages[0].content }}";
    }

    private static void copy(Path from, Path to) throws Exception {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    /** The bundle that ships with another template, and a manifest that says so. */
    private static void armed(Path bundle) throws Exception {
        copy(ATLAS, bundle);
        byte[] template = template().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        Files.write(bundle.resolve("chat_template.jinja"), template);
        Path manifest = bundle.resolve("bundle.json");
        ObjectNode json = (ObjectNode) JSON.readTree(manifest.toFile());
        ObjectNode entry = (ObjectNode) json.at("/files/chat_template.jinja");
        entry.put("bytes", template.length);
        entry.put(
                "sha256",
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(template)));
        JSON.writeValue(manifest.toFile(), json);
    }

    private CompletableFuture<HttpResponse<String>> ask(URI api, String model, String content, boolean stream) {
        String body = "{\"model\":\"" + model + "\",\"stream\":" + stream
                + ",\"temperature\":0,\"max_tokens\":20,\"messages\":[{\"role\":\"user\",\"content\":\"" + content
                + "\"}]}";
        return http.sendAsync(
                HttpRequest.newBuilder(api.resolve("/v1/chat/completions"))
                        .timeout(Duration.ofMinutes(2))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private String answer(URI api) throws Exception {
        HttpResponse<String> response =
                ask(api, "atlas", "What is the capital of Peru?", true).join();
        StringBuilder text = new StringBuilder();
        for (String line : response.body().split("\n", -1)) {
            if (line.startsWith("data: {")) {
                text.append(JSON.readTree(line.substring(6))
                        .at("/choices/0/delta/content")
                        .asText(""));
            }
        }
        return text.toString();
    }

    @Test
    void eachBombIsATypedErrorAndTheOtherModelAnswersMeanwhile() throws Exception {
        copy(ATLAS, folder.resolve("atlas"));
        armed(folder.resolve("bomb"));
        try (NodeProcess node = NodeProcess.up(folder)) {
            URI api = node.api();
            assertThat(ask(api, "bomb", "hello", false).join().statusCode())
                    .as("the template is one")
                    .isEqualTo(200);
            List<CompletableFuture<HttpResponse<String>>> asked = new ArrayList<>();
            for (String message : BOMBS.keySet()) {
                asked.add(ask(api, "bomb", message, false));
                asked.add(ask(api, "bomb", message, true));
            }
            CompletableFuture<Void> all = CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new));
            do {
                assertThat(answer(api)).isEqualTo("The capital of Peru is Lima.");
            } while (!all.isDone());
            for (CompletableFuture<HttpResponse<String>> one : asked) {
                assertThat(one.join().statusCode()).as(one.join().body()).isEqualTo(400);
                assertThat(JSON.readTree(one.join().body()).at("/error/code").asText())
                        .isEqualTo("template_failed");
            }
            assertThat(ask(api, "bomb", "hello", false).join().statusCode()).isEqualTo(200);
            assertThat(node.output()).doesNotContain("Exception", "OutOfMemoryError");
        }
    }
}
