package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever level a user sets, of Meridian and of its libraries, no prompt, reply or key is in what the process writes. */
class LogLevelsTest {
    private static final Path MODELS = Path.of(System.getProperty("meridian.root"), "models");
    private static final String CANARY = "cAnArY";
    private static final String REPLY = "The capital of Peru is Lima.";
    private static final String CHAT = "{\"model\":\"atlas\",\"temperature\":0,\"user\":\"" + CANARY
            + "\",\"stop\":[\"" + CANARY + "\"],\"messages\":"
            + "[{\"role\":\"user\",\"content\":\"What is the capital of Peru?\"}]";
    private static final String CHATTY_ACTORS =
            "pekko { loglevel = DEBUG, log-config-on-start = on, log-dead-letters = on,"
                    + " actor.debug { receive = on, autoreceive = on, lifecycle = on, fsm = on, event-stream = on, unhandled = on } }";

    private static final FuzzCase BROKEN = new FuzzCase(
            0,
            "GET /%zz" + CANARY + " HTTP/1.1\r\nHost: localhost\r\nX-" + CANARY + ": " + CANARY + "\r\n\r\n",
            1,
            FuzzCase.Behaviour.READ,
            false);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    Path folder;

    @Test
    void atTheirLowestLevelsNothingThatPassesIsWritten() throws Exception {
        Path config = Files.writeString(folder.resolve("chatty.conf"), CHATTY_ACTORS);
        Map<String, String> lowest = Map.of("MERIDIAN_LOG_LEVEL", "TRACE", "MERIDIAN_LOG_OTHERS", "TRACE");
        try (NodeProcess node = NodeProcess.up(lowest, MODELS, "--config", config.toString())) {
            URI chat = node.api().resolve("/v1/chat/completions");
            assertThat(post(chat, CHAT + "}").body()).contains(REPLY);
            assertThat(post(chat, CHAT + ",\"stream\":true}").body()).contains("\"content\":\" capital\"");
            for (String bad : List.of(CHAT + ",\"" + CANARY + "\":}", CHAT + ",\"seed\":\"" + CANARY + "\"}", CANARY)) {
                assertThat(post(chat, bad).statusCode()).isEqualTo(400);
            }
            assertThat(post(node.api().resolve("/v1/" + CANARY + "?key=" + CANARY), CHAT + "}")
                            .statusCode())
                    .isEqualTo(404);
            assertThat(FuzzClient.send(BROKEN, node.api())).startsWith("HTTP/1.1 400 ");
            node.terminate();
            assertThat(node.output())
                    .as("the level is low enough to see")
                    .contains("DEBUG o.a.p.")
                    .doesNotContain(CANARY, "Peru is", "Lima", "mk-");
        }
    }

    private HttpResponse<String> post(URI uri, String body) throws Exception {
        return http.send(
                HttpRequest.newBuilder(uri)
                        .header("Content-Type", "application/json")
                        .header("Authorization", "Bearer mk-" + CANARY)
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }
}
