package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class StoppingTest {
    private static final String HELLO = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = HELLO.replace("{\"model", "{\"stream\":true,\"model");
    private static final Duration LONG = Duration.ofSeconds(60);

    private final EdgeFixture edge = new EdgeFixture("meridian.edge.comment-interval = 50ms");
    private final ScriptedReplica replica = new ScriptedReplica(ScriptedReplica.saying("ok"));
    private final ActorRef<ReplicaCommand> self = edge.serve("atlas", replica);

    @AfterEach
    void stop() {
        edge.close();
    }

    private HttpResponse<String> readiness() {
        return edge.get(edge.adminUri("/health/ready"));
    }

    private void startOnly() {
        replica.setScript((submit, ref) -> {
            ScriptedReplica.accept(submit, ref, 3);
            ScriptedReplica.batch(submit, ref, 1, ScriptedReplica.entry(submit, 0, 0, "Hel", false));
        });
    }

    @Test
    void readinessSaysAtOnceThatTheNodeIsStoppingAndRequestsAreServedForTheDelay() {
        assertThat(readiness().statusCode()).isEqualTo(200);
        edge.stop(Duration.ofDays(1), LONG);
        assertThat(readiness().statusCode()).isEqualTo(503);
        assertThat(readiness().body()).isEqualTo("{\"status\":\"stopping\"}");
        assertThat(edge.get(edge.adminUri("/health/live")).statusCode()).isEqualTo(200);
        assertThat(edge.post(EdgeFixture.CHAT, HELLO).body()).contains("\"content\":\"ok\"");
    }

    @Test
    void aNodeThatIsStoppingSaysWithEachReplyThatItIsTheConnectionsLast() throws IOException {
        try (RawClient served = new RawClient(edge.edge.clientAddress().orElseThrow())) {
            served.post(EdgeFixture.CHAT, HELLO);
            assertThat(served.readUntil("\"content\":\"ok\"")).doesNotContain("Connection: close");
            edge.stop(Duration.ofDays(1), LONG);
            served.post(EdgeFixture.CHAT, HELLO);
            assertThat(served.readToEnd()).contains("\"content\":\"ok\"", "Connection: close");
        }
    }

    @Test
    void newRequestsAreRefusedWhileARunningStreamEnds() throws IOException {
        startOnly();
        try (RawClient running = new RawClient(edge.edge.clientAddress().orElseThrow());
                RawClient keptAlive = new RawClient(edge.edge.clientAddress().orElseThrow())) {
            keptAlive.send("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
            keptAlive.readUntil("\"object\":\"list\"");
            running.post(EdgeFixture.CHAT, STREAM);
            running.readUntil("\"content\":\"Hel\"");
            Submit submit = replica.expect(Submit.class);
            CompletionStage<Done> stopped = edge.stop(LONG);

            keptAlive.post(EdgeFixture.CHAT, HELLO);
            assertThat(keptAlive.readUntil("\"code\":\"shutting_down\""))
                    .contains("HTTP/1.1 503 Service Unavailable", "Retry-After: 5");
            HttpResponse<String> refused = edge.post(EdgeFixture.CHAT, STREAM);
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.headers().firstValue("retry-after")).hasValue("5");
            assertThat(readiness().body()).isEqualTo("{\"status\":\"stopping\"}");
            assertThat(replica.drain()).as("nothing new was submitted").isEmpty();

            ScriptedReplica.batch(submit, self, 2, ScriptedReplica.entry(submit, 0, 1, "lo", true));
            assertThat(running.readToEnd()).contains("\"content\":\"lo\"").contains("data: [DONE]\n\n");
            EdgeFixture.await(stopped);
        }
    }

    @Test
    void whatRunsWhenTheGraceIsOverEndsWithAnError() throws IOException {
        startOnly();
        try (RawClient running = new RawClient(edge.edge.clientAddress().orElseThrow())) {
            running.post(EdgeFixture.CHAT, STREAM);
            running.readUntil("\"content\":\"Hel\"");
            CompletionStage<Done> stopped = edge.stop(Duration.ofMillis(200));
            assertThat(running.readToEnd())
                    .contains("\"code\":\"shutting_down\"")
                    .doesNotContain("[DONE]");
            replica.expect(Cancel.class);
            EdgeFixture.await(stopped);
        }
    }
}
