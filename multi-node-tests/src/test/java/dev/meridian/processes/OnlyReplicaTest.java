package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Streams of a model that one node alone holds, which enter at a node of another region. */
@EnabledIfSystemProperty(named = "soak", matches = ".*")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OnlyReplicaTest {
    private static final int STREAMS = 50;

    @TempDir
    static Path folder;

    private static ClusterOfProcesses cluster;
    private static HttpClient http;

    @BeforeAll
    static void start() throws Exception {
        http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        cluster = new ClusterOfProcesses(
                folder,
                "meridian { placement.replicas = 1, edge.replica-wait = 20 s }",
                Set.of("us-1"),
                "eu-1",
                "eu-2",
                "us-1");
        cluster.start();
        cluster.awaitReplicas(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
        http.shutdownNow();
    }

    private static Map.Entry<String, String> replica() throws Exception {
        return cluster.placement("us-1", "eu").entrySet().iterator().next();
    }

    private static List<ScriptedStream> flow() throws Exception {
        List<ScriptedStream> streams = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            streams.add(ScriptedStream.open(http, cluster.api("us-1"), 3 + 17 * i, 200));
        }
        cluster.await(
                "all streams to flow",
                () -> streams.stream().allMatch(stream -> stream.received() > 10 || stream.hasEnded()));
        return streams;
    }

    @Test
    @Order(1)
    void streamsWaitUntilAnotherNodeHasLoadedIt() throws Exception {
        String holder = replica().getValue();
        List<ScriptedStream> streams = flow();
        cluster.kill(holder);
        List<String> faults = streams.stream()
                .map(ScriptedStream::fault)
                .filter(fault -> !fault.isEmpty())
                .toList();
        System.out.printf(
                "kill the only replica: longest gap %.0f ms%n",
                streams.stream()
                        .mapToDouble(ScriptedStream::longestGapMillis)
                        .max()
                        .orElseThrow());
        assertThat(faults).as(cluster::state).isEmpty();
        assertThat(replica().getValue()).isNotEqualTo(holder);
        cluster.start(holder);
        cluster.awaitReplicas(1);
    }

    @Test
    @Order(2)
    void whereSourceAndTargetOfAMoveDieStreamsEndWithATypedError() throws Exception {
        Map.Entry<String, String> replica = replica();
        String target = replica.getValue().equals("eu-1") ? "eu-2" : "eu-1";
        List<ScriptedStream> streams = flow();
        JsonNode change =
                cluster.change("us-1", "replicas/" + replica.getKey() + ":move", "{\"to\":\"" + target + "\"}");
        assertThat(change.path("http").asInt()).as(change.toString()).isIn(200, 202);
        cluster.kill(replica.getValue());
        cluster.kill(target);
        assertThat(streams)
                .allSatisfy(stream ->
                        assertThat(stream.fault()).contains("\"error\":{").contains("\"code\":\"replica_lost\""));
    }
}
