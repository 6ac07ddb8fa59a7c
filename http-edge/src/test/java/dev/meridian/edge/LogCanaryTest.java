package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import dev.meridian.edge.access.Keys;
import dev.meridian.edge.access.Role;
import dev.meridian.protocol.Refusal;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import dev.meridian.protocol.message.StreamEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Prompts, replies and keys reach no log, at the lowest level of every logger. All that passes the edge holds a canary;
 * the captured log holds none.
 */
final class LogCanaryTest {
    private static final String CANARY = "cAnArY";
    private static final String KEY = "mk-" + CANARY + "-key";
    private static final String CHAT = "{\"model\":\"atlas\",\"stop\":[\"" + CANARY + "\"],\"user\":\"" + CANARY
            + "\",\"messages\":[{\"role\":\"system\",\"content\":\"" + CANARY
            + "\"},{\"role\":\"user\",\"content\":\"hi " + CANARY + "\"}]}";
    private static final String TEXT = "{\"model\":\"atlas\",\"logprobs\":1,\"prompt\":\"" + CANARY + "\"}";
    private static final String[] KEYED = {"Authorization", "Bearer " + KEY};

    @TempDir
    private Path folder;

    private final Queue<String> captured = new ConcurrentLinkedQueue<>();
    private final Logger root =
            ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Level before = root.getLevel();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            captured.add(event.getLoggerName()
                    + ' '
                    + event.getFormattedMessage()
                    + ' '
                    + Arrays.toString(event.getArgumentArray())
                    + ' '
                    + event.getMDCPropertyMap()
                    + (event.getThrowableProxy() == null
                            ? ""
                            : ThrowableProxyUtil.asString(event.getThrowableProxy())));
        }
    };

    @BeforeEach
    void capture() {
        // Only to this list: at TRACE the console would drown the build.
        root.getAppender("out").stop();
        appender.setContext(root.getLoggerContext());
        appender.start();
        root.addAppender(appender);
        root.setLevel(Level.TRACE);
    }

    @AfterEach
    void release() {
        root.setLevel(before);
        root.detachAppender(appender);
        root.getAppender("out").start();
    }

    private List<String> leaks() {
        return captured.stream().filter(line -> line.contains(CANARY)).toList();
    }

    @Test
    void aDeliberateLogWouldBeFound() {
        LoggerFactory.getLogger("dev.meridian.Anything").trace("prompt {}", CANARY);
        LoggerFactory.getLogger("org.apache.pekko.Anything")
                .debug("failed", new IllegalStateException(new IllegalStateException("told " + CANARY)));
        assertThat(leaks()).hasSize(2);
    }

    @Test
    void nothingOfWhatPassesTheEdgeIsLogged() throws IOException {
        Path keys = folder.resolve("keys.json");
        Keys.write(keys, Keys.key("someone", KEY, Role.ADMIN, List.of(), null));
        ScriptedReplica replica = new ScriptedReplica(ScriptedReplica.saying(CANARY, " " + CANARY));
        try (EdgeFixture edge = new EdgeFixture("meridian.edge { auth = always, reload-interval = 20ms,"
                + " body-read-timeout = 300ms, keys-file = \"" + keys + "\" }")) {
            edge.kit.system().classicSystem().eventStream().setLogLevel(4);
            edge.serve("atlas", replica);
            good(edge);
            failing(edge, replica);
            bad(edge);
            raw(edge, replica);
            Files.writeString(keys, "{\"" + CANARY + "\": " + CANARY);
            edge.kit.createTestProbe().awaitAssert(Duration.ofSeconds(10), () -> {
                assertThat(captured).anyMatch(line -> line.contains("the keys stay as they were"));
                return null;
            });
        }
        assertThat(captured)
                .as("levels are low enough to see")
                .anyMatch(line -> line.startsWith("org.apache.pekko."))
                .anyMatch(line -> line.startsWith("dev.meridian."));
        assertThat(leaks()).isEmpty();
    }

    private static void good(EdgeFixture edge) {
        for (String body : List.of(CHAT, streamed(CHAT))) {
            assertThat(edge.post(EdgeFixture.CHAT, body, KEYED).body()).contains(CANARY);
        }
        for (String body : List.of(TEXT, streamed(TEXT))) {
            assertThat(edge.post(EdgeFixture.TEXT, body, KEYED).body()).contains(CANARY);
        }
        edge.get(edge.adminUri("/health/ready"), KEYED);
        edge.get(edge.adminUri("/metrics"), KEYED);
    }

    private static String streamed(String body) {
        return body.replace("{\"model", "{\"stream\":true,\"model");
    }

    private static void failing(EdgeFixture edge, ScriptedReplica replica) {
        List<Refusal> refusals = List.of(
                new Refusal.QueueFull(1),
                new Refusal.PromptTooLong(2, false, 1),
                new Refusal.InvalidRequest("messages", CANARY),
                new Refusal.TemplateFailed(CANARY, 1),
                new Refusal.EngineFailed("the engine's own words"));
        for (Refusal refusal : refusals) {
            replica.setScript((submit, _) -> submit.edge().tell(new StreamEvent.Refused(submit.attempt(), refusal)));
            edge.post(EdgeFixture.CHAT, CHAT, KEYED);
            replica.setScript((submit, self) -> {
                ScriptedReplica.accept(submit, self, 3);
                ScriptedReplica.batch(submit, self, 1, ScriptedReplica.entry(submit, 0, 0, CANARY, false));
                submit.edge().tell(new StreamEvent.Refused(submit.attempt(), refusal));
            });
            edge.post(EdgeFixture.CHAT, streamed(CHAT), KEYED);
        }
    }

    private static void bad(EdgeFixture edge) {
        for (String body : List.of(
                "{\"" + CANARY + "\":1}",
                "{\"model\":\"" + CANARY + "\",\"prompt\":\"x\"}",
                "{\"model\":" + CANARY,
                CANARY,
                "{\"model\":\"atlas\",\"prompt\":\"" + CANARY + "\\ud800\"}",
                "{\"model\":\"atlas\",\"prompt\":\"x\",\"seed\":\"" + CANARY + "\"}")) {
            assertThat(edge.post(EdgeFixture.TEXT, body, KEYED).statusCode()).isIn(400, 404);
        }
        for (String authorization : List.of("Bearer wrong-" + CANARY, "Basic " + CANARY, CANARY)) {
            assertThat(edge.post(EdgeFixture.CHAT, CHAT, "Authorization", authorization)
                            .statusCode())
                    .isEqualTo(401);
        }
        assertThat(edge.post(EdgeFixture.CHAT, CHAT, "Authorization", KEYED[1], "Origin", "http://" + CANARY)
                        .statusCode())
                .isEqualTo(403);
        assertThat(edge.get(edge.uri("/v1/" + CANARY + "?q=" + CANARY), KEYED).statusCode())
                .isEqualTo(404);
    }

    private static void raw(EdgeFixture edge, ScriptedReplica replica) throws IOException {
        String head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + KEY + "\r\n"
                + "Content-Type: application/json\r\n";
        for (String request : List.of(
                "GET /" + CANARY + " HTTP/9.9\r\nHost: localhost\r\n\r\n",
                // Longer than any method: of a shorter one the parser would wait for the rest.
                CANARY.repeat(4) + "\r\n\r\n",
                "GET /\u0001" + CANARY + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: " + CANARY + " " + CANARY + "\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\n" + CANARY + "\u0001: " + CANARY + "\r\n\r\n",
                head + "Content-Length: " + CANARY + "\r\n\r\n",
                head + "Transfer-Encoding: chunked\r\n\r\n" + CANARY + "\r\n",
                head + "Transfer-Encoding: chunked\r\n\r\n6\r\n" + CANARY + CANARY + "\r\n",
                head + "Content-Length: 1000\r\n\r\n{\"prompt\":\"" + CANARY)) {
            try (RawClient client = new RawClient(edge.edge.clientAddress().orElseThrow())) {
                client.send(request);
                client.readUntil("HTTP/1.1 ");
            }
        }
        replica.drain();
        replica.setScript((submit, self) -> {
            ScriptedReplica.accept(submit, self, 3);
            ScriptedReplica.batch(submit, self, 1, ScriptedReplica.entry(submit, 0, 0, CANARY, false));
        });
        RawClient reset = new RawClient(edge.edge.clientAddress().orElseThrow());
        reset.post(EdgeFixture.CHAT, streamed(CHAT), "Authorization: Bearer " + KEY);
        reset.readUntil("\"content\":\"" + CANARY);
        reset.reset();
        replica.expect(Submit.class);
    }
}
