package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.access.Keys;
import dev.meridian.edge.access.Role;
import dev.meridian.protocol.cluster.Residency;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that are bound to regions, at an edge in "eu". */
final class ResidencyTest {
    private static final String HELLO = "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    private static final String STREAM = HELLO.replace("{\"model", "{\"stream\":true,\"model");

    @TempDir
    private Path folder;

    private final ScriptedReplica replica = new ScriptedReplica(ScriptedReplica.saying("ok"));
    private EdgeFixture edge;

    @BeforeEach
    void start() {
        Path keys = folder.resolve("keys.json");
        Keys.write(
                keys,
                Keys.key("free", "mk-free", Role.CLIENT, List.of(), null),
                Keys.bound("us", "mk-us", "us"),
                Keys.bound("eu", "mk-eu", "eu", "ap"));
        edge = new EdgeFixture("meridian.edge { auth = always, keys-file = \"" + keys + "\" }");
        edge.serve("atlas", replica);
    }

    @AfterEach
    void stop() {
        edge.close();
    }

    private HttpResponse<String> ask(String body, String key) {
        return edge.post(EdgeFixture.CHAT, body, "Authorization", "Bearer " + key);
    }

    private void bind(String... regions) {
        ServedModel model = edge.directory().find("atlas").orElseThrow();
        edge.models.put(
                "atlas",
                new ServedModel(
                        "atlas",
                        model.contextTokens(),
                        model.vocabSize(),
                        model.createdEpochSeconds(),
                        Residency.in(List.of(regions))));
    }

    private static void refuses(HttpResponse<String> response, int status, String code, String regions) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.body()).contains("\"code\":\"" + code + "\"").contains(regions);
        assertThat(response.headers().firstValue("Meridian-Served-By")).isEmpty();
    }

    private void assertServed(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("Meridian-Served-By"))
                .hasValue(edge.regionOfReplicas + "/node-1/replica-of-atlas");
    }

    @Test
    void repliesSayWhereTheyWereMade() {
        assertServed(ask(HELLO, "mk-free"));
        assertServed(ask(STREAM, "mk-free"));
        assertServed(ask(STREAM, "mk-eu"));
        edge.regionOfReplicas = "us";
        assertServed(ask(STREAM, "mk-free"));
    }

    @Test
    void aKeyOfOtherRegionsIsRefusedBeforeTheBodyIsRead() throws IOException {
        try (RawClient client = new RawClient(edge.edge.clientAddress().orElseThrow())) {
            client.send("POST " + EdgeFixture.CHAT
                    + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer mk-us\r\n"
                    + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n");
            assertThat(client.readUntil("\"region_forbidden\"")).startsWith("HTTP/1.1 451");
        }
        refuses(ask("no JSON", "mk-us"), 451, "region_forbidden", "us");
        assertThat(replica.drain()).as("nothing was submitted").isEmpty();
    }

    @Test
    void aModelOfOtherRegionsIsRefused() {
        bind("us", "ap");
        refuses(ask(HELLO, "mk-free"), 451, "region_forbidden", "ap, us");
        assertThat(replica.drain()).as("nothing was submitted").isEmpty();
    }

    @Test
    void aBoundRequestIsRefusedWhereOnlyAnotherRegionCouldServeIt() {
        edge.regionOfReplicas = "us";
        HttpResponse<String> refused = ask(STREAM, "mk-eu");
        refuses(refused, 503, "no_allowed_region", "ap, eu");
        assertThat(refused.headers().firstValue("Retry-After")).hasValue("2");
        bind("eu");
        refuses(ask(HELLO, "mk-free"), 503, "no_allowed_region", "eu");
        assertThat(replica.drain()).as("nothing was submitted").isEmpty();
    }

    @Test
    void whatKeyAndModelSayHoldsTogether() {
        bind("eu", "us");
        edge.regionOfReplicas = "ap";
        refuses(ask(HELLO, "mk-eu"), 503, "no_allowed_region", "alone: eu.");
        edge.regionOfReplicas = "eu";
        assertServed(ask(HELLO, "mk-eu"));
    }
}
