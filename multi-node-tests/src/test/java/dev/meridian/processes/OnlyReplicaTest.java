package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Streams of a model that one node alone holds, which serves no clients; they enter at a node of another region. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OnlyReplicaTest {
    @TempDir
    static Path folder;

    private static ClusterOfProcesses cluster;

    @BeforeAll
    static void start() throws Exception {
        cluster = new ClusterOfProcesses(
                folder,
                name -> ClusterOfProcesses.ONE_REPLICA + "\nmeridian.edge.replica-wait = 20 s"
                        + (name.startsWith("eu") ? "\nmeridian.node.roles = [model]" : ""),
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
    }

    private static Map.Entry<String, String> replica() throws Exception {
        return cluster.placement("us-1", "eu").entrySet().iterator().next();
    }

    private static String other(String node) {
        return node.equals("eu-1") ? "eu-2" : "eu-1";
    }

    private static void killAndStartAgain(String what) throws Exception {
        String holder = replica().getValue();
        ScriptedStreams streams = ScriptedStreams.flow(cluster, 400, "us-1");
        cluster.kill(holder);
        streams.assertWhole(what + " is killed");
        assertThat(replica().getValue()).isNotEqualTo(holder);
        cluster.start(holder);
        cluster.awaitReplicas(1);
    }

    @Test
    @Order(0)
    void aNodeThatServesNoClientsSaysWhetherItIsReady() throws Exception {
        for (String node : List.of("eu-1", "eu-2")) {
            cluster.await(node + " to be ready", () -> cluster.status(node, "/health/ready") == 200);
            assertThat(cluster.status(node, "/v1/models")).isEqualTo(404);
            assertThat(cluster.node(node).output()).contains("Admin ").doesNotContain("API ");
        }
    }

    /** The region's placement goes to its oldest node; at first that is eu-1, which then is the first to get the replica. */
    @Test
    @Order(1)
    void streamsWaitUntilAnotherNodeHasTakenPlacementAndReplicaOver() throws Exception {
        killAndStartAgain("the node of the placement and the only replica");
    }

    /** What was started again is not the oldest. */
    @Test
    @Order(2)
    void streamsWaitUntilAnotherNodeHasLoadedIt() throws Exception {
        Map.Entry<String, String> replica = replica();
        JsonNode change = cluster.change(
                "us-1",
                "replicas/" + replica.getKey() + ":move?wait=60s",
                "{\"to\":\"" + other(replica.getValue()) + "\"}");
        assertThat(change.path("state").asText()).as(change.toString()).isEqualTo("done");
        killAndStartAgain("the node of the only replica");
    }

    @Test
    @Order(3)
    void whereSourceAndTargetOfAMoveDieStreamsEndWithATypedError() throws Exception {
        Map.Entry<String, String> replica = replica();
        String target = other(replica.getValue());
        ScriptedStreams streams = ScriptedStreams.flow(cluster, 400, "us-1");
        JsonNode change =
                cluster.change("us-1", "replicas/" + replica.getKey() + ":move", "{\"to\":\"" + target + "\"}");
        assertThat(change.path("http").asInt()).as(change.toString()).isIn(200, 202);
        cluster.kill(replica.getValue());
        cluster.kill(target);
        assertThat(streams.ends())
                .allSatisfy(end -> assertThat(end).contains("\"error\":{").contains("\"code\":\"replica_lost\""));
    }
}
