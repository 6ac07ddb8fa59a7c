package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Crowds of connections that say little or nothing. A stream that runs meanwhile says all of its words, and file
 * descriptors and threads are back where they were.
 */
final class ManyConnectionsTest {
    private static final String HELLO = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = HELLO.replace("{\"model\"", "{\"stream\":true,\"model\"");
    private static final int CROWD = 2000;
    private static final int SMALLER_CROWD = 300;
    /** The crowd, the stream that runs beside it, and the one connection that the fixture's own client keeps. */
    private static final int MAX_CONNECTIONS = CROWD + 2;
    /** The JVM opens files of its own meanwhile: of the jar, of classes, of its selectors. */
    private static final long OTHER_FILES = 20;

    private static final ScriptedReplica REPLICA = new ScriptedReplica(ScriptedReplica.saying("ok"));
    private static final ScriptedReplica CONTROL =
            new ScriptedReplica((submit, self) -> ScriptedReplica.accept(submit, self, 3));
    private static EdgeFixture edge;
    private static ActorRef<ReplicaCommand> controlReplica;

    private RawClient control;
    private Submit controlSubmit;
    private int said;
    private long filesBefore;

    @BeforeAll
    static void start() {
        edge = new EdgeFixture("meridian.edge { max-connections = " + MAX_CONNECTIONS
                // The scripted replica sends no heartbeats.
                + ", heartbeat-silence = 5m, idle-timeout = 10m }");
        edge.serve("atlas", REPLICA);
        controlReplica = edge.serve("control", CONTROL);
    }

    @AfterAll
    static void stop() {
        edge.close();
    }

    @BeforeEach
    void startControlStream() throws IOException {
        REPLICA.setScript(ScriptedReplica.saying("ok"));
        assertThat(edge.post(EdgeFixture.CHAT, HELLO).body()).contains("\"content\":\"ok\"");
        control = connect();
        control.post(EdgeFixture.CHAT, STREAM.replace("atlas", "control"));
        controlSubmit = CONTROL.expect(Submit.class);
        controlSays("one ", false);
        filesBefore = openFiles();
    }

    @AfterEach
    void allIsAsItWas() throws IOException {
        controlSays("last", true);
        control.readUntil("data: [DONE]\n\n");
        assertThat(edge.post(EdgeFixture.CHAT, HELLO).body()).contains("\"content\":\"ok\"");
        await(() -> {
            assertThat(openFiles()).as("open files").isLessThanOrEqualTo(filesBefore + OTHER_FILES);
            assertThat(edge.registry.get("meridian.streams.active").gauge().value())
                    .as("streams")
                    .isZero();
            assertThat(edge.registry.get("meridian.journal.bytes").gauge().value())
                    .as("bytes of journals")
                    .isZero();
        });
        control.close();
    }

    private void controlSays(String word, boolean last) throws IOException {
        ScriptedReplica.batch(
                controlSubmit, controlReplica, said, ScriptedReplica.entry(controlSubmit, 0, said, word, last));
        said++;
        control.readUntil("\"content\":\"" + word + "\"");
    }

    private static void await(Runnable condition) {
        edge.kit.createTestProbe().awaitAssert(Duration.ofSeconds(20), () -> {
            condition.run();
            return null;
        });
    }

    private static RawClient connect() throws IOException {
        return new RawClient(edge.edge.clientAddress().orElseThrow());
    }

    /** Of this process: the server's and its clients' together. */
    private static long openFiles() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getOpenFileDescriptorCount()
                : 0;
    }

    private static void closeAll(List<RawClient> clients) throws IOException {
        for (RawClient client : clients) {
            client.close();
        }
    }

    /** Every other one says nothing, the others half of a request's first line. */
    private List<RawClient> openCrowd(int size) throws IOException {
        List<RawClient> crowd = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            RawClient client = connect();
            crowd.add(client);
            if (i % 2 == 0) {
                client.send("GET /v1/mod");
            }
        }
        return crowd;
    }

    @Test
    void aCrowdThatFillsThePortLeavesTheStreamAloneAndOthersWaitUntilOneIsGone() throws IOException {
        List<RawClient> crowd = openCrowd(CROWD);
        try (RawClient waiting = connect()) {
            waiting.post(EdgeFixture.CHAT, HELLO);
            controlSays("two ", false);
            controlSays("three ", false);
            // The connection that was open before is served, the one behind the crowd is not even taken.
            assertThat(edge.post(EdgeFixture.CHAT, HELLO).body()).contains("\"content\":\"ok\"");
            assertThat(waiting.hasNothingToRead()).isTrue();

            crowd.removeLast().close();
            assertThat(waiting.readUntil("\"content\":\"ok\"")).startsWith("HTTP/1.1 200 ");
        } finally {
            closeAll(crowd);
        }
    }

    @Test
    void theSecondCrowdNeedsNoThreadMoreThanTheFirst() throws IOException {
        closeAll(openCrowd(SMALLER_CROWD));
        assertThat(edge.post(EdgeFixture.CHAT, HELLO).body()).contains("\"content\":\"ok\"");
        Set<String> before = threads();
        closeAll(openCrowd(SMALLER_CROWD));
        controlSays("two ", false);
        await(() -> assertThat(threads()).as("threads").hasSizeLessThanOrEqualTo(before.size()));
    }

    private static Set<String> threads() {
        Set<String> names = new TreeSet<>();
        // The HTTP client of the tests has workers that come and go.
        Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> !name.startsWith("HttpClient"))
                .forEach(names::add);
        return names;
    }

    @Test
    void aThousandOpensAndClosesCostNothing() throws IOException {
        for (int i = 0; i < 1000; i++) {
            RawClient client = connect();
            if (i % 2 == 0) {
                client.send("GET /v1/mod");
                client.reset();
            } else {
                client.close();
            }
        }
        controlSays("two ", false);
    }

    @Test
    void aClientThatClosesAfterTheFirstByteOfAStreamIsCancelled() throws IOException {
        REPLICA.setScript((submit, self) -> {
            ScriptedReplica.accept(submit, self, 3);
            ScriptedReplica.batch(submit, self, 1, ScriptedReplica.entry(submit, 0, 0, "Hel", false));
        });
        REPLICA.drain();
        for (int i = 0; i < 100; i++) {
            RawClient client = connect();
            client.post(EdgeFixture.CHAT, STREAM);
            client.readOneByte();
            if (i % 2 == 0) {
                client.reset();
            } else {
                client.close();
            }
            Submit submit = REPLICA.expect(Submit.class);
            assertThat(REPLICA.expect(Cancel.class)).isEqualTo(new Cancel(submit.attempt()));
        }
        REPLICA.setScript(ScriptedReplica.saying("ok"));
    }

    @Test
    void aClientThatClosesAfterTheFirstByteOfALargeReplyLeavesNothing() throws IOException {
        // More than the buffers of both sides hold, so that the server is still writing.
        String[] words = new String[200];
        java.util.Arrays.fill(words, "w".repeat(20_000));
        REPLICA.setScript(ScriptedReplica.saying(words));
        for (int i = 0; i < 20; i++) {
            RawClient client = new RawClient(edge.edge.clientAddress().orElseThrow(), 4096);
            client.post(EdgeFixture.CHAT, HELLO.replace("{\"model\"", "{\"max_tokens\":300,\"model\""));
            client.readOneByte();
            if (i % 2 == 0) {
                client.reset();
            } else {
                client.close();
            }
        }
        REPLICA.setScript(ScriptedReplica.saying("ok"));
    }

    /** Nobody has to close them: the server does, when they have said nothing whole for idle-timeout. */
    @Test
    void aCrowdThatNeverCompletesARequestIsSentAway() throws IOException {
        try (EdgeFixture impatient = new EdgeFixture("meridian.edge.idle-timeout = 1s")) {
            List<RawClient> crowd = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                RawClient client = new RawClient(impatient.edge.clientAddress().orElseThrow());
                crowd.add(client);
                if (i % 2 == 0) {
                    client.send("POST /v1/chat");
                }
            }
            for (RawClient client : crowd) {
                assertThat(client.readUntilCutOff()).doesNotContain("HTTP/1.1 200 ");
                client.close();
            }
        }
    }
}
