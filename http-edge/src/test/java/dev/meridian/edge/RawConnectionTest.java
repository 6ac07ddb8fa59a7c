package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.Attempt;
import dev.meridian.protocol.Entry;
import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.io.IOException;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What happens when clients leave, stall, or speak no HTTP. */
final class RawConnectionTest {
    private static final String WHOLE = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = WHOLE.replace("{\"model", "{\"stream\":true,\"model");
    private static final ScriptedReplica REPLICA = new ScriptedReplica((_, _) -> {});
    private static EdgeFixture edge;
    private static ActorRef<ReplicaCommand> self;

    @BeforeAll
    static void start() {
        edge = new EdgeFixture(
                "meridian.edge { comment-interval = 50ms, body-read-timeout = 300ms, idle-timeout = 2s }");
        self = edge.serve("atlas", REPLICA);
    }

    @AfterAll
    static void stop() {
        edge.close();
    }

    private static RawClient connect() throws IOException {
        return new RawClient(edge.edge.clientAddress().orElseThrow());
    }

    private static void acceptOnly() {
        REPLICA.drain();
        REPLICA.setScript((submit, ref) -> ScriptedReplica.accept(submit, ref, 3));
    }

    private static void acceptAndStart() {
        REPLICA.drain();
        REPLICA.setScript((submit, ref) -> {
            ScriptedReplica.accept(submit, ref, 3);
            ScriptedReplica.batch(submit, ref, 1, ScriptedReplica.entry(submit, 0, 0, "Hel", false));
        });
    }

    @Test
    void aStreamWhoseClientLeavesIsCancelledWithoutAnotherToken() throws IOException {
        acceptAndStart();
        try (RawClient client = connect()) {
            client.post(EdgeFixture.CHAT, STREAM);
            client.readUntil("\"content\":\"Hel\"");
        }
        Attempt attempt = REPLICA.expect(Submit.class).attempt();
        assertThat(REPLICA.expect(Cancel.class)).isEqualTo(new Cancel(attempt));
    }

    @Test
    void aResetConnectionIsCancelled() throws IOException {
        acceptAndStart();
        RawClient client = connect();
        client.post(EdgeFixture.CHAT, STREAM);
        client.readUntil("\"content\":\"Hel\"");
        client.reset();
        Attempt attempt = REPLICA.expect(Submit.class).attempt();
        assertThat(REPLICA.expect(Cancel.class)).isEqualTo(new Cancel(attempt));
    }

    @Test
    void aClientThatAskedToCloseIsNoticedByTheCommentsItNoLongerReads() throws IOException {
        acceptOnly();
        try (RawClient client = connect()) {
            client.post(EdgeFixture.CHAT, STREAM, "Connection: close");
            client.readUntil(": waiting\n\n");
        }
        Attempt attempt = REPLICA.expect(Submit.class).attempt();
        assertThat(REPLICA.expect(Cancel.class)).isEqualTo(new Cancel(attempt));
    }

    @Test
    void aWholeReplyWhoseClientLeavesIsCancelled() throws IOException {
        acceptOnly();
        Attempt attempt;
        try (RawClient client = connect()) {
            client.post(EdgeFixture.CHAT, WHOLE);
            attempt = REPLICA.expect(Submit.class).attempt();
        }
        assertThat(REPLICA.expect(Cancel.class)).isEqualTo(new Cancel(attempt));
    }

    @Test
    void aClientThatLeavesBeforeTheReplicaAnsweredIsCancelled() throws IOException {
        REPLICA.drain();
        REPLICA.setScript((_, _) -> {});
        Attempt attempt;
        try (RawClient client = connect()) {
            client.post(EdgeFixture.CHAT, STREAM);
            attempt = REPLICA.expect(Submit.class).attempt();
        }
        assertThat(REPLICA.expect(Cancel.class)).isEqualTo(new Cancel(attempt));
    }

    @Test
    void aSilentStreamSendsCommentsAndNeverEmptyData() throws IOException {
        acceptOnly();
        try (RawClient client = connect()) {
            client.post(EdgeFixture.CHAT, STREAM);
            Submit submit = REPLICA.expect(Submit.class);
            String silent = client.readUntil(": waiting\n\n\r\nb\r\n: waiting\n\n");
            assertThat(silent).startsWith("HTTP/1.1 200 OK\r\n").contains("Content-Type: text/event-stream");
            ScriptedReplica.batch(submit, self, 1, ScriptedReplica.entry(submit, 0, 0, "x", true));
            assertThat(client.readUntil("data: [DONE]\n\n"))
                    .doesNotContain("data: \n")
                    .doesNotContain("data:\n");
        }
    }

    @Test
    void aClientThatDoesNotReadCostsJournalBytesAndNothingElse() throws IOException {
        acceptOnly();
        int tokens = 400;
        String word = "w".repeat(20_000);
        try (RawClient client = new RawClient(edge.edge.clientAddress().orElseThrow(), 4096)) {
            client.post(EdgeFixture.CHAT, STREAM);
            Submit slow = REPLICA.expect(Submit.class);
            for (int index = 0; index < tokens; index++) {
                ScriptedReplica.batch(slow, self, index, word(slow, index, word, index == tokens - 1));
            }
            REPLICA.setScript(ScriptedReplica.saying("fast"));
            assertThat(edge.post(EdgeFixture.CHAT, WHOLE).body()).contains("\"content\":\"fast\"");
            // More than sockets buffer, so it must lie in the journal.
            assertThat(edge.registry.get("meridian.journal.bytes").gauge().value())
                    .isGreaterThan(1_000_000);
            String all = client.readUntil("data: [DONE]\n\n");
            assertThat(all.split("\"content\":\"w", -1)).hasSize(tokens + 1);
            assertThat(edge.registry.get("meridian.journal.bytes").gauge().value())
                    .isZero();
        }
    }

    private static Entry word(Submit submit, int index, String word, boolean last) {
        return ScriptedReplica.entry(submit.attempt(), 0, index, word, last ? FinishReason.STOP : null, false, 0);
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws IOException {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        try (RawClient client = connect()) {
            client.post(EdgeFixture.CHAT, STREAM, "X-Request-Id: first");
            client.send("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: second\r\n\r\n");
            client.send(
                    "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: third\r\nConnection: close\r\n\r\n");
            assertThat(client.readToEnd())
                    .containsSubsequence(
                            "x-request-id: first", "[DONE]", "x-request-id: second", "x-request-id: third");
        }
    }

    @Test
    void whatIsNoHttpGetsAnErrorObject() throws IOException {
        try (RawClient client = connect()) {
            client.send("GET /v1/models HTTP/9.9\r\nHost: localhost\r\n\r\n");
            assertThat(client.readToEnd())
                    .startsWith("HTTP/1.1 505 ")
                    .contains("{\"error\":{\"message\":", "\"type\":\"server_error\"", "\"malformed_request\"")
                    .containsPattern("x-request-id: req-[0-9A-Za-z]{24}\r\n");
        }
        try (RawClient client = connect()) {
            client.send("GET /v1/mo\u0001dels HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertThat(client.readToEnd())
                    .startsWith("HTTP/1.1 400 ")
                    .contains("\"type\":\"invalid_request_error\"", "\"malformed_request\"")
                    .containsPattern("x-request-id: req-[0-9A-Za-z]{24}\r\n");
        }
    }

    @Test
    void aBodyThatDoesNotArriveTimesOut() throws IOException {
        try (RawClient client = connect()) {
            client.send("POST " + EdgeFixture.CHAT
                    + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
            assertThat(client.readUntil("body_timeout")).startsWith("HTTP/1.1 408 ");
        }
    }

    @Test
    void anIdleConnectionIsClosedAndABusyOneIsNot() throws IOException {
        acceptOnly();
        try (RawClient idle = connect();
                RawClient busy = connect()) {
            busy.post(EdgeFixture.CHAT, WHOLE);
            Submit submit = REPLICA.expect(Submit.class);
            assertThat(idle.readToEnd()).isEmpty();
            ScriptedReplica.batch(submit, self, 1, ScriptedReplica.entry(submit, 0, 0, "late", true));
            busy.readUntil("\"content\":\"late\"");
        }
    }

    @Test
    void nothingIsLeftWhenTheTestsAboveAreOver() throws IOException {
        acceptAndStart();
        try (RawClient client = connect()) {
            client.post(EdgeFixture.CHAT, STREAM);
            client.readUntil("Hel");
        }
        REPLICA.expect(Cancel.class);
        edge.kit.createTestProbe().awaitAssert(Duration.ofSeconds(5), () -> {
            assertThat(edge.registry.get("meridian.streams.active").gauge().value())
                    .isZero();
            return null;
        });
    }
}
