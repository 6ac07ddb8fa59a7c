package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.stream.Replicas;
import dev.meridian.protocol.message.ReplicaCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests for a model that is loaded when they ask for it. */
final class ColdStartTest {
    private static final String HELLO = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = HELLO.replace("{\"model", "{\"stream\":true,\"model");

    private EdgeFixture edge;
    private ActorRef<ReplicaCommand> replica;

    @BeforeEach
    void start() {
        edge = new EdgeFixture(
                "meridian.edge { request-deadline = 10 s, comment-interval = 50 ms, replica-wait = 200 ms }");
        replica = edge.serve("atlas", new ScriptedReplica(ScriptedReplica.saying("ok")));
        edge.replicas.clear();
        edge.coming = new Replicas.Coming(1_500);
    }

    @AfterEach
    void stop() {
        edge.close();
    }

    private HttpResponse<InputStream> stream() throws IOException, InterruptedException {
        return edge.client.send(
                HttpRequest.newBuilder(edge.uri(EdgeFixture.CHAT))
                        .timeout(Duration.ofSeconds(20))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(STREAM))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
    }

    /** All lines; the model is there once {@code comments} of them have said that it is not. */
    private List<String> lines(HttpResponse<InputStream> response, int comments) throws IOException {
        List<String> lines = new ArrayList<>();
        int said = 0;
        try (BufferedReader body = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            for (String line = body.readLine(); line != null; line = body.readLine()) {
                lines.add(line);
                said += line.startsWith(": loading") ? 1 : 0;
                if (said == comments) {
                    edge.replicas.put("atlas", replica);
                }
            }
        }
        return lines;
    }

    @Test
    void aStreamTellsOfTheLoadAndThenSpeaks() throws Exception {
        HttpResponse<InputStream> response = stream();

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Meridian-Cold-Start")).hasValue("true");
        List<String> lines = lines(response, 3);
        assertThat(lines.getFirst()).isEqualTo(": loading atlas, which takes about 1500 ms");
        assertThat(lines).contains(": served by eu/node-1/replica-of-atlas");
        assertThat(String.join("\n", lines))
                .contains("\"content\":\"ok\"")
                .contains("\"cold_start\":true")
                .contains("data: [DONE]");
    }

    @Test
    void aReplyThatIsNotStreamedWaits() {
        CompletableFuture<HttpResponse<String>> asked =
                CompletableFuture.supplyAsync(() -> edge.post(EdgeFixture.CHAT, HELLO));

        edge.replicas.put("atlas", replica);
        HttpResponse<String> response = EdgeFixture.await(asked);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Meridian-Served-By")).hasValue("eu/node-1/replica-of-atlas");
    }

    @Test
    void aLoadThatIsTooLongIsRefusedWithItsEstimate() {
        edge.coming = new Replicas.Coming(25_000);

        HttpResponse<String> response = edge.post(EdgeFixture.CHAT, HELLO);
        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).hasValue("26");
        assertThat(response.body()).contains("\"code\":\"model_loading\"").contains("about 25000 ms");
        assertThat(edge.post(EdgeFixture.CHAT, STREAM).statusCode()).isEqualTo(503);
    }

    @Test
    void aStreamThatWaitedForNothingEndsWithATypedError() throws Exception {
        HttpResponse<InputStream> response = stream();

        edge.coming = null;
        List<String> lines = lines(response, Integer.MAX_VALUE);
        assertThat(lines.get(lines.size() - 2)).contains("\"code\":\"model_not_ready\"");
        assertThat(String.join("\n", lines)).doesNotContain("[DONE]");
    }

    @Test
    void aClientThatLeavesWhileItWaitsIsForgotten() throws Exception {
        try (InputStream body = stream().body()) {
            assertThat(body.read()).isEqualTo(':');
        }
        edge.replicas.put("atlas", replica);

        assertThat(edge.post(EdgeFixture.CHAT, HELLO).statusCode()).isEqualTo(200);
        assertThat(Objects.requireNonNull(edge.get(edge.adminUri("/metrics")).body()))
                .contains("meridian_streams_active 0.0");
    }

    @Test
    void aNodeThatLoadsOnDemandIsReadyWithoutModels() {
        edge.duties = List.of();
        assertThat(edge.get(edge.adminUri("/health/ready")).statusCode()).isEqualTo(503);

        edge.loadsOnDemand = true;
        edge.nowMillis.addAndGet(2_000);
        assertThat(edge.get(edge.adminUri("/health/ready")).statusCode()).isEqualTo(200);
    }

    @Test
    void whatIsLoadedIsNoColdStart() {
        edge.replicas.put("atlas", replica);

        HttpResponse<String> response = edge.post(EdgeFixture.CHAT, STREAM);
        assertThat(response.headers().firstValue("Meridian-Cold-Start")).isEmpty();
        assertThat(response.body()).contains("\"cold_start\":false");
    }
}
