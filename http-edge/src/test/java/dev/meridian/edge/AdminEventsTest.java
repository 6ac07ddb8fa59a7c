package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementEvent;
import dev.meridian.protocol.cluster.ReplicaId;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What operators are told of decisions, over HTTP. */
final class AdminEventsTest {
    private static final String HELLO =
            "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"a canary sings\"}]}";
    private static final String FOLLOW =
            "GET /admin/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";

    private final EdgeFixture edge = new EdgeFixture("");

    @AfterEach
    void stop() {
        edge.close();
    }

    private static PinTable table(long generations) {
        return PinTable.empty("eu")
                .withGeneration(generations)
                .withEvents(LongStream.rangeClosed(1, generations)
                        .mapToObj(generation -> new PlacementEvent(
                                generation,
                                0,
                                generation,
                                PlacementEvent.Kind.PLACED,
                                "policy:spread",
                                "m",
                                new ReplicaId("eu", "m", "0123456789ab", 1),
                                "eu-1",
                                null,
                                "spread"))
                        .toList());
    }

    @Test
    void eventsComeAsTheyAreDecidedAndEndWithTheNode() throws IOException {
        edge.tables = List.of(table(1));
        try (RawClient client = new RawClient(edge.edge.adminAddress().orElseThrow())) {
            client.send(FOLLOW + "\r\n");
            assertThat(client.readUntil("id: eu:1:0\ndata: {\"id\":\"eu:1:0\",\"region\":\"eu\""))
                    .startsWith("HTTP/1.1 200 OK")
                    .contains("Content-Type: text/event-stream");

            edge.tables = List.of(table(2));
            client.readUntil("id: eu:2:0\n");

            EdgeFixture.await(edge.stop(Duration.ofMillis(100)));
            assertThat(client.readToEnd()).endsWith("\r\n0\r\n\r\n").containsOnlyOnce("id: eu:1:0");
        }
    }

    @Test
    void aFollowerContinuesBehindTheLastEventThatItHad() throws IOException {
        edge.tables = List.of(table(3));
        try (RawClient client = new RawClient(edge.edge.adminAddress().orElseThrow())) {
            client.send(FOLLOW + "Last-Event-ID: eu:2:0\r\n\r\n");

            assertThat(client.readUntil("id: eu:3:0\n")).doesNotContain("eu:1:0", "eu:2:0");
        }
        assertThat(edge.get(
                                edge.adminUri("/admin/v1/events"),
                                "Accept",
                                "text/event-stream",
                                "Last-Event-ID",
                                "yesterday")
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void withoutAskingForAStreamThereIsAList() {
        edge.tables = List.of(table(2));

        assertThat(edge.get(edge.adminUri("/admin/v1/events")).body())
                .startsWith("{\"items\":[{\"id\":\"eu:1:0\"")
                .endsWith("\"reason\":\"spread\"}]}");
    }

    @Test
    void whyTellsWhereARequestWentAndNotWhatItSaid() {
        edge.serve("atlas", new ScriptedReplica(ScriptedReplica.saying("ok")));
        HttpResponse<String> reply = edge.post(EdgeFixture.CHAT, HELLO);
        String id = reply.body().replaceAll("(?s).*\"id\":\"(chatcmpl-[^\"]+)\".*", "$1");

        assertThat(edge.get(edge.adminUri("/admin/v1/why/" + id)).body())
                .isEqualTo(
                        "{\"id\":\"" + id + "\",\"model\":\"atlas\",\"residency\":\"anywhere\",\"attempts\":[{\"at\":"
                                + "\"2023-11-14T22:13:20Z\",\"attempt\":1,\"servedBy\":\"eu/node-1/replica-of-atlas\","
                                + "\"why\":\"a replica of the edge's own region, eu\"}]}");
    }

    @Test
    void whatNobodyKnowsIsNotFoundByName() {
        HttpResponse<String> answer = edge.get(edge.adminUri("/admin/v1/why/chatcmpl-1"));

        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).contains("\"code\":\"nothing_known\"");
    }
}
