package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.FinishReason;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import io.micrometer.core.instrument.Counter;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/** Clients that do not read, with sockets of their own, beside clients that do. */
final class SlowReadersTest {
    private static final int SLOW = 200;
    private static final int NORMAL = 20;
    private static final int LONG_REPLY = 25;
    private static final String WORD = "w".repeat(20_000);
    private static final String SHORT = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String LONG = SHORT.replace("{\"model", "{\"max_tokens\":" + LONG_REPLY + ",\"model");
    private static final String LONG_STREAM = LONG.replace("{\"max", "{\"stream\":true,\"max");

    private static EdgeFixture start(String readerStall) {
        EdgeFixture edge =
                new EdgeFixture("meridian.edge { max-journal-bytes = 512 MiB, max-stream-journal-bytes = 64 MiB,"
                        + " send-buffer = 16 KiB, comment-interval = 100ms, reader-stall = " + readerStall + " }");
        edge.serve("atlas", new ScriptedReplica(SlowReadersTest::reply));
        return edge;
    }

    /** All at once: the replica is done with a stream before its client has read anything. */
    private static void reply(Submit submit, ActorRef<ReplicaCommand> self) {
        ScriptedReplica.accept(submit, self, 3);
        boolean isLong = submit.generation().maxTokens() == LONG_REPLY;
        int tokens = isLong ? LONG_REPLY : 3;
        for (int index = 0; index < tokens; index++) {
            ScriptedReplica.batch(
                    submit,
                    self,
                    index,
                    ScriptedReplica.entry(
                            submit.attempt(),
                            0,
                            index,
                            isLong ? WORD : "ok",
                            index == tokens - 1 ? FinishReason.STOP : null,
                            false,
                            0));
        }
    }

    private static double gauge(EdgeFixture edge, String name) {
        return edge.registry.get(name).gauge().value();
    }

    private static double refusals(EdgeFixture edge, String reason) {
        Counter counter =
                edge.registry.find("meridian.refusals").tag("reason", reason).counter();
        return counter == null ? 0 : counter.count();
    }

    private static double tokens(EdgeFixture edge) {
        Counter counter = edge.registry.find("meridian.decode.tokens").counter();
        return counter == null ? 0 : counter.count();
    }

    private static void await(EdgeFixture edge, Runnable condition) {
        edge.kit.createTestProbe().awaitAssert(Duration.ofSeconds(20), () -> {
            condition.run();
            return null;
        });
    }

    private static RawClient slow(EdgeFixture edge, String body) throws IOException {
        RawClient client = new RawClient(edge.edge.clientAddress().orElseThrow(), 4096);
        client.post(EdgeFixture.CHAT, body);
        return client;
    }

    @Test
    void slowReadersCostBytesAndNobodyElseIsTouchedUntilTheyAreCutOff() throws IOException {
        List<RawClient> clients = new ArrayList<>();
        try (EdgeFixture edge = start("4s")) {
            for (int i = 0; i < SLOW; i++) {
                clients.add(slow(edge, LONG_STREAM));
            }
            await(edge, () -> assertThat(tokens(edge)).isEqualTo(SLOW * LONG_REPLY));
            assertThat(gauge(edge, "meridian.streams.active"))
                    .as("no slot is taken")
                    .isZero();
            // 40 KB a token, and sockets take a few of the 25.
            assertThat(gauge(edge, "meridian.journal.bytes")).isGreaterThan(SLOW * 400_000.0);
            for (int i = 0; i < NORMAL; i++) {
                assertThat(edge.post(EdgeFixture.CHAT, SHORT).body()).contains("\"content\":\"okokok\"");
                assertThat(edge.post(EdgeFixture.CHAT, SHORT.replace("{\"model", "{\"stream\":true,\"model"))
                                .body())
                        .endsWith("data: [DONE]\n\n");
            }
            await(edge, () -> assertThat(refusals(edge, "reader_too_slow")).isEqualTo(SLOW));
            assertThat(gauge(edge, "meridian.journal.bytes")).isZero();
            assertThat(gauge(edge, "meridian.journal.reserved.bytes")).isZero();
            for (RawClient client : clients) {
                assertThat(client.readUntilCutOff()).doesNotContain("[DONE]");
            }
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void aReplyThatIsNotStreamedCountsUntilItsClientHasRead() throws IOException {
        try (EdgeFixture edge = start("60s");
                RawClient client = slow(edge, LONG)) {
            await(edge, () -> assertThat(gauge(edge, "meridian.journal.bytes")).isGreaterThan(LONG_REPLY * 40_000.0));
            assertThat(gauge(edge, "meridian.streams.active")).isZero();
            String reply = client.readUntil("\"total_tokens\":28,\"prompt_tokens_details\":{\"cached_tokens\":2}}}");
            assertThat(reply).contains("Content-Length: ", WORD.repeat(LONG_REPLY));
            await(edge, () -> assertThat(gauge(edge, "meridian.journal.bytes")).isZero());
            client.post(EdgeFixture.CHAT, SHORT);
            client.readUntil("\"content\":\"okokok\"");
        }
    }

    @Test
    void aReplyThatIsNotStreamedAndNotReadIsCutOff() throws IOException {
        try (EdgeFixture edge = start("500ms");
                RawClient client = slow(edge, LONG)) {
            await(edge, () -> assertThat(refusals(edge, "reader_too_slow")).isEqualTo(1));
            assertThat(gauge(edge, "meridian.journal.bytes")).isZero();
            assertThat(client.readUntilCutOff()).doesNotContain("total_tokens");
        }
    }

    @Test
    void aClientThatLeavesAReplyHalfReadFreesIt() throws IOException {
        try (EdgeFixture edge = start("60s")) {
            try (RawClient client = slow(edge, LONG)) {
                client.readUntil("wwww");
                assertThat(gauge(edge, "meridian.journal.bytes")).isGreaterThan(LONG_REPLY * 40_000.0);
            }
            await(edge, () -> assertThat(gauge(edge, "meridian.journal.bytes")).isZero());
            assertThat(refusals(edge, "reader_too_slow")).isZero();
        }
    }
}
