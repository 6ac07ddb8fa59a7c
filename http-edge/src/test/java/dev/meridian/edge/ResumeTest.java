package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.access.Keys;
import dev.meridian.edge.access.Role;
import dev.meridian.protocol.message.ReplicaCommand;
import dev.meridian.protocol.message.ReplicaCommand.Cancel;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams whose clients leave and come back. */
final class ResumeTest {
    private static final String STREAM =
            "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"atlas\","
                    + "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final Pattern EVENT = Pattern.compile("id: (\\d+)\ndata: (.*)\n\n");

    @TempDir
    private Path folder;

    private final ScriptedReplica replica = new ScriptedReplica((submit, self) -> {});
    private EdgeFixture edge;
    private ActorRef<ReplicaCommand> self;

    @BeforeEach
    void start() {
        Path keys = folder.resolve("keys.json");
        Keys.write(
                keys,
                Keys.key("a", "mk-a", Role.CLIENT, List.of(), null),
                Keys.key("b", "mk-b", Role.ADMIN, List.of(), null));
        edge = new EdgeFixture(
                "meridian.edge { auth = always, reload-interval = 50ms, resume-limit = 2 s, keys-file = \"" + keys
                        + "\" }");
        self = edge.serve("atlas", replica);
    }

    @AfterEach
    void stop() {
        edge.close();
    }

    private HttpResponse<String> get(String stream, String key, String... headers) {
        List<String> all = new ArrayList<>(List.of("Authorization", "Bearer " + key));
        all.addAll(List.of(headers));
        return edge.get(edge.uri("/v1/streams/" + stream), all.toArray(new String[0]));
    }

    private HttpResponse<String> post(String body, String window) {
        return edge.post(EdgeFixture.CHAT, body, "Authorization", "Bearer mk-a", "Meridian-Resume", window);
    }

    private static List<String> events(String text) {
        List<String> events = new ArrayList<>();
        Matcher event = EVENT.matcher(text);
        while (event.find()) {
            events.add(event.group());
        }
        return events;
    }

    private static String header(String response, String name) {
        Matcher header = Pattern.compile("(?i)" + name + ": (\\S+)\r\n").matcher(response);
        assertThat(header.find()).as(response).isTrue();
        return header.group(1);
    }

    /** Opens a stream, whose first words arrive, on a connection that is then lost; its id. */
    private String lost(int words) throws IOException {
        replica.setScript((submit, host) -> {
            ScriptedReplica.accept(submit, host, 3);
            for (int i = 0; i < words; i++) {
                ScriptedReplica.batch(submit, host, i, ScriptedReplica.entry(submit, 0, i, "w" + i + " ", false));
            }
        });
        try (RawClient client = new RawClient(edge.edge.clientAddress().orElseThrow())) {
            client.post(EdgeFixture.CHAT, STREAM, "Authorization: Bearer mk-a", "Meridian-Resume: 60");
            String head = client.readUntil("w" + (words - 1) + " ");
            assertThat(header(head, "Meridian-Resume"))
                    .as("no longer than the limit")
                    .isEqualTo("2");
            return header(head, "Meridian-Stream");
        }
    }

    private void say(Submit submit, int index, boolean last) {
        ScriptedReplica.batch(submit, self, index, ScriptedReplica.entry(submit, 0, index, "w" + index + " ", last));
    }

    @Test
    void aClientThatComesBackGetsEachEventBehindTheLastThatItHas() throws IOException {
        String id = lost(3);
        assertThat(id).startsWith("node-1~chatcmpl-");
        Submit submit = replica.expect(Submit.class);
        say(submit, 3, false);
        say(submit, 4, true);
        HttpResponse<String> whole = get(id, "mk-a");
        assertThat(whole.statusCode()).isEqualTo(200);
        assertThat(whole.headers().firstValue("Meridian-Served-By")).hasValue("eu/node-1/replica-of-atlas");
        List<String> all = events(whole.body());
        // Role, five words, the finish, usage, the end.
        assertThat(all).hasSize(9).last().asString().isEqualTo("id: 8\ndata: [DONE]\n\n");
        assertThat(String.join("", all)).isEqualTo(whole.body());
        for (int last = -1; last < all.size(); last++) {
            HttpResponse<String> rest =
                    last < 0 ? get(id, "mk-a") : get(id, "mk-a", "Last-Event-ID", Integer.toString(last));
            assertThat(events(rest.body())).isEqualTo(all.subList(last + 1, all.size()));
        }
        assertThat(replica.drain()).as("nobody cancelled it").isEmpty();
    }

    @Test
    void theRestArrivesAsItIsMade() throws IOException {
        String id = lost(2);
        Submit submit = replica.expect(Submit.class);
        try (RawClient again = new RawClient(edge.edge.clientAddress().orElseThrow());
                RawClient other = new RawClient(edge.edge.clientAddress().orElseThrow())) {
            String request = "GET /v1/streams/" + id + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer mk-a\r\n"
                    + "Last-Event-ID: 1\r\n\r\n";
            again.send(request);
            assertThat(again.readUntil("w1 ")).doesNotContain("w0 ").contains("id: 2\n");
            say(submit, 2, false);
            again.readUntil("w2 ");
            // The newest connection is the one that counts.
            other.send(request);
            other.readUntil("w2 ");
            assertThat(again.readUntil("0\r\n\r\n")).doesNotContain("[DONE]");
            say(submit, 3, true);
            assertThat(other.readUntil("[DONE]")).contains("w3 ");
        }
    }

    @Test
    void aStreamThatNobodyComesBackForIsCancelledAndForgotten() throws IOException {
        String id = lost(1);
        Submit submit = replica.expect(Submit.class);
        assertThat(replica.expect(Cancel.class)).isEqualTo(new Cancel(submit.attempt()));
        assertThat(get(id, "mk-a").statusCode()).isEqualTo(404);
        assertThat(edge.registry.get("meridian.journal.bytes").gauge().value()).isZero();
        assertThat(edge.registry.get("meridian.streams.active").gauge().value()).isZero();
    }

    @Test
    void whoeverElseAsksIsToldWhatIsToldOfNoStream() throws IOException {
        String id = lost(1);
        HttpResponse<String> foreign = get(id, "mk-b");
        HttpResponse<String> none = get("node-1~chatcmpl-000000000000000000000000", "mk-b");
        assertThat(foreign.statusCode()).isEqualTo(404);
        assertThat(foreign.body()).contains("\"code\":\"stream_not_found\"").isEqualTo(none.body());
        assertThat(get(id, "mk-wrong").statusCode()).isEqualTo(401);
    }

    @Test
    void aStreamThatDidNotAskEndsWithItsConnection() throws IOException {
        replica.setScript((submit, host) -> {
            ScriptedReplica.accept(submit, host, 3);
            ScriptedReplica.batch(submit, host, 0, ScriptedReplica.entry(submit, 0, 0, "w0 ", false));
        });
        try (RawClient client = new RawClient(edge.edge.clientAddress().orElseThrow())) {
            client.post(EdgeFixture.CHAT, STREAM, "Authorization: Bearer mk-a");
            assertThat(client.readUntil("w0 "))
                    .doesNotContain("Meridian-Stream")
                    .doesNotContain("\nid: ");
        }
        replica.expect(Cancel.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "soon", "1.5", "99999999999"})
    void aWindowThatIsNoneIsRefused(String window) {
        HttpResponse<String> refused = post(STREAM, window);
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body()).contains("\"code\":\"invalid_value\"", "\"param\":\"Meridian-Resume\"");
        assertThat(replica.drain()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"x, 400", "-1, 400", "7, 200"})
    void whatIsNoEventIsRefused(String last, int status) throws IOException {
        String id = lost(1);
        say(replica.expect(Submit.class), 1, true);
        assertThat(get(id, "mk-a", "Last-Event-ID", last).statusCode()).isEqualTo(status);
    }

    @Test
    void onlyStreamsCanBeResumed() {
        HttpResponse<String> refused =
                post(STREAM.replace("true,\"stream_options\":{\"include_usage\":true}", "false"), "5");
        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(400);
        assertThat(refused.body()).contains("Only streams can be resumed.");
        assertThat(edge.settings("meridian.edge.resume-limit = 0 s").resumeLimit())
                .isEqualTo(Duration.ZERO);
    }
}
