package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that talk by TLS: those of one CA make a cluster, and whoever has no certificate of it stays outside. */
class ClusterTlsTest {
    @TempDir
    static Path folder;

    private static ClusterOfProcesses cluster;

    @BeforeAll
    static void start() throws Exception {
        cluster = new ClusterOfProcesses(
                folder,
                node -> tls("certs", node) + "\n" + ClusterOfProcesses.ONE_REPLICA,
                Set.of("eu-2"),
                "eu-1",
                "eu-2");
        certs("certs", "meridian", "eu-1=" + cluster.host("eu-1"), "eu-2=" + cluster.host("eu-2"));
        cluster.start();
        cluster.awaitReplicas(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void certs(String out, String name, String... nodes) throws Exception {
        List<String> command =
                CliProcess.command("certs", "--out", folder.resolve(out).toString(), "--cluster", name);
        command.addAll(1, List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(nodes));
        CliProcess.Ended ended = CliProcess.runAny(command);
        assertThat(ended.exitCode()).as(ended.output()).isZero();
    }

    private static String tls(String out, String node) {
        Path files = folder.resolve(out);
        return "meridian.cluster.tls { ca = \"" + files.resolve("ca.pem") + "\", certificate = \""
                + files.resolve(node + ".pem") + "\", private-key = \"" + files.resolve(node + "-key.pem") + "\" }";
    }

    /** A node that wants in, at an address that nobody else has. */
    private static NodeProcess stranger(String name, String host, String more) throws Exception {
        Path config = Files.writeString(
                folder.resolve(name + ".conf"),
                "meridian { node { id = " + name + ", region = eu, state-dir = \"" + folder + "\", roles = [edge] },"
                        + " cluster { host = \"" + host + "\", seed-nodes = [\"" + cluster.host("eu-1") + ":7355\", \""
                        + cluster.host("eu-2") + ":7355\"] },"
                        + " edge { client-port = 0, admin-port = 0 } }\npekko.cluster.seed-node-timeout = 1 s\n"
                        + more);
        return NodeProcess.member(config);
    }

    private static String beside(int number) {
        String host = cluster.host("eu-1");
        return host.substring(0, host.lastIndexOf('.') + 1) + number;
    }

    private static List<String> members(String asked) throws Exception {
        return cluster.list(asked, "nodes").stream()
                .map(node ->
                        node.path("id").asText() + " " + node.path("status").asText())
                .sorted()
                .toList();
    }

    private static void awaitOutput(NodeProcess stranger, String text) throws Exception {
        try {
            cluster.await("'" + text + "'", () -> stranger.output().contains(text));
        } catch (AssertionError e) {
            throw new AssertionError("a stranger said:\n" + stranger.output(), e);
        }
    }

    @Test
    void aStreamCrossesAndStrangersStayOutside() throws Exception {
        assertThat(cluster.placement("eu-2", "eu")).hasSize(1).containsValue("eu-1");
        assertThat(cluster.node("eu-1").output()).contains(cluster.host("eu-1") + ":7355, TLS");
        certs("foreign", "meridian", "eu-7=" + beside(7));
        certs("certs", "other", "eu-8=" + beside(8));
        try (NodeProcess foreign = stranger("eu-7", beside(7), tls("foreign", "eu-7"));
                NodeProcess other = stranger(
                        "eu-8", beside(8), tls("certs", "eu-8") + "\nmeridian.cluster.tls.cluster-name = other");
                NodeProcess plain = stranger("eu-9", beside(9), "")) {
            awaitOutput(foreign, "unable to find valid certification path");
            awaitOutput(other, "its certificate is for [meridian, ");
            for (NodeProcess stranger : List.of(foreign, other, plain)) {
                awaitOutput(stranger, "Couldn't join seed nodes");
            }
            // They go on trying. The stream enters at the node that holds no model.
            assertThat(cluster.stream("eu-2", 3, 150).fault()).isEmpty();
            for (String node : List.of("eu-1", "eu-2")) {
                assertThat(members(node)).as(cluster.state()).containsExactly("eu-1 up", "eu-2 up");
            }
        }
    }
}
