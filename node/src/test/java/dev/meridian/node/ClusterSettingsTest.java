package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import dev.meridian.protocol.cluster.Residency;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClusterSettingsTest {
    @TempDir
    Path folder;

    private NodeSettings load(String config) throws Exception {
        return NodeSettings.load(Files.writeString(folder.resolve("node.conf"), config), Map.of());
    }

    @Test
    void aNodeThatSaysNothingIsAloneOnLoopback() throws Exception {
        ClusterSettings cluster = load("").cluster();

        assertThat(cluster.node()).isEqualTo("node-1");
        assertThat(cluster.region()).isEqualTo("local");
        assertThat(cluster.isEdge()).isTrue();
        assertThat(cluster.holdsModels()).isTrue();
        assertThat(cluster.host()).isEqualTo("127.0.0.1");
        assertThat(cluster.seedNodes()).isEmpty();
        assertThat(cluster.stateFile()).endsWithRaw(Path.of(".meridian", "state", "node-1.pins"));
    }

    @Test
    void whatItSaysReachesPekko() throws Exception {
        NodeSettings settings = load("meridian { node { id = eu-1, region = eu, roles = [edge] },"
                + " cluster { host = \"127.0.0.2\", port = 0, seed-nodes = [\"127.0.0.1:7355\"], min-members = 3 } }");

        assertThat(settings.cluster().seedAddresses()).containsExactly("pekko://meridian@127.0.0.1:7355");
        assertThat(settings.clusterRoot().getStringList("pekko.cluster.roles")).isEqualTo(List.of("edge", "node.eu-1"));
        assertThat(settings.clusterRoot().getString("pekko.cluster.multi-data-center.self-data-center"))
                .isEqualTo("eu");
        assertThat(settings.clusterRoot().getString("pekko.remote.artery.canonical.hostname"))
                .isEqualTo("127.0.0.2");
        assertThat(settings.clusterRoot().getInt("pekko.cluster.min-nr-of-members"))
                .isEqualTo(3);
    }

    @Test
    void whereItListensIsWhereOthersReachItUnlessItSaysOtherwise() throws Exception {
        Config same = load("meridian.cluster { host = \"127.0.0.2\", port = 7400 }")
                .clusterRoot()
                .getConfig("pekko.remote.artery");
        Config forwarded = load("meridian.cluster { host = \"127.0.0.2\", port = 7400, bind-host = \"127.0.0.3\","
                        + " bind-port = 7401, outbound-host = \"127.0.0.4\" }")
                .clusterRoot()
                .getConfig("pekko.remote.artery");

        assertThat(same.getString("bind.hostname")).isEqualTo("127.0.0.2");
        assertThat(same.getInt("bind.port")).isEqualTo(7400);
        assertThat(same.getString("advanced.tcp.outbound-client-hostname")).isEmpty();
        assertThat(forwarded.getString("canonical.hostname")).isEqualTo("127.0.0.2");
        assertThat(forwarded.getInt("canonical.port")).isEqualTo(7400);
        assertThat(forwarded.getString("bind.hostname")).isEqualTo("127.0.0.3");
        assertThat(forwarded.getInt("bind.port")).isEqualTo(7401);
        assertThat(forwarded.getString("advanced.tcp.outbound-client-hostname")).isEqualTo("127.0.0.4");
    }

    @Test
    void theUsersOwnWordOnPekkoIsStronger() throws Exception {
        assertThat(load("pekko.cluster.distributed-data.gossip-interval = 7 s")
                        .clusterRoot()
                        .getDuration("pekko.cluster.distributed-data.gossip-interval"))
                .hasSeconds(7);
    }

    @Test
    void withTlsItMayStandAtAnyAddressAndNoFileSwitchesItOff() throws Exception {
        NodeSettings settings = load("meridian.cluster { host = \"192.0.2.1\","
                + " bind-host = \"0.0.0.0\", tls { ca = certs/ca.pem, certificate = /etc/eu-1.pem, private-key = certs/eu-1-key.pem } }\n"
                + "pekko.remote.artery.transport = tcp");

        ClusterTlsSettings tls = Objects.requireNonNull(settings.cluster().tls());
        assertThat(tls.ca()).isEqualTo(Path.of(System.getProperty("meridian.home", ""), "certs", "ca.pem"));
        assertThat(tls.certificate()).isEqualTo(Path.of("/etc/eu-1.pem"));
        assertThat(tls.clusterName()).isEqualTo(ClusterTlsSettings.CLUSTER_NAME);
        assertThat(tls.reloadInterval()).hasMinutes(1);
        assertThat(settings.clusterRoot().getString("pekko.remote.artery.transport"))
                .isEqualTo("tls-tcp");
        assertThat(settings.clusterRoot().getString("pekko.remote.artery.bind.hostname"))
                .isEqualTo("0.0.0.0");
    }

    @Test
    void withoutTlsNodesTalkInClearAndNoFileTakesThemFromLoopback() throws Exception {
        NodeSettings settings =
                load("pekko.remote.artery { bind.hostname = \"0.0.0.0\", canonical.hostname = \"192.0.2.1\" }");
        Config artery = settings.clusterRoot().getConfig("pekko.remote.artery");

        assertThat(settings.cluster().tls()).isNull();
        assertThat(artery.getString("transport")).isEqualTo("tcp");
        assertThat(artery.getString("canonical.hostname")).isEqualTo("127.0.0.1");
        assertThat(artery.getString("bind.hostname")).isEqualTo("127.0.0.1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "node.id = \"Eu 1\" | meridian.node.id 'Eu 1'",
                "node.region = eu_1 | meridian.node.region 'eu_1'",
                "node.roles = [] | meridian.node.roles []",
                "node.roles = [edge, edge] | each once",
                "node.roles = [worker] | meridian.node.roles [worker]",
                "cluster.port = 70000 | meridian.cluster.port 70000",
                "cluster.host = \"192.0.2.1\" | './meridian certs --out certs node-1=192.0.2.1' makes the files",
                "cluster.bind-host = \"0.0.0.0\" | meridian.cluster.bind-host \"0.0.0.0\" is not a loopback address",
                "cluster.bind-host = \"a b\" | meridian.cluster.bind-host \"a b\" is no known address",
                "cluster.bind-port = -1 | meridian.cluster.bind-port -1",
                "cluster.bind-port = some | bind-port has type STRING",
                "cluster.outbound-host = \"a b\" | meridian.cluster.outbound-host \"a b\" is no known address",
                "cluster.tls.ca = ca.pem | meridian.cluster.tls needs ca, certificate and private-key",
                "cluster.tls { ca = a, certificate = b, private-key = c, cluster-name = A } | meridian.cluster.tls.cluster-name 'A'",
                "cluster.tls { ca = a, certificate = b, private-key = c, reload-interval = 0 s } | meridian.cluster.tls.reload-interval",
                "cluster.seed-nodes = [nowhere] | 'nowhere': expected host:port",
                "cluster.min-members = 0 | meridian.cluster.min-members 0",
                "placement.silence = 100 ms | expected at least twice the status-interval",
                "placement.rehome-after = 1 ms | expected at least silence",
                "placement.replicas = -1 | 'meridian.placement.replicas': -1: expected 0 to 99",
                "placement.replicas = 5 | max-replicas 4: expected at least 1 and min-replicas, 5",
                "placement.policy = none | policy 'none': expected one of [follow-demand, least-recently-used, spread]",
                "placement.defaults.max-replica = 2 | meridian.placement.defaults.max-replica",
                "placement.models.m { max-replica = 2 } | there is no key 'max-replica'",
                "placement.models.a.b { max-replicas = 2 } | a name with a dot needs quotation marks",
                "placement.models.m { pre-warm-at = [soon] } | 'meridian.placement.models.m': pre-warm-at 'soon'",
                "placement.models.m { keep-warm = true, min-replicas = 0 } | keep-warm without min-replicas",
                "placement.warm-above = 0 | warm-above",
                "node.stop-grace = soon | stop-grace",
                "residency.models.m = [] | expected at least one region",
                "residency.models.m = [EU] | 'EU' can be no region",
                "residency.models.m = eu | m has type STRING",
                "residency.models.a.b = [eu] | a name with a dot needs quotation marks",
                "residency.modells = [eu] | meridian.residency.modells",
                "node.nmae = eu-1 | meridian.node.nmae",
                "edge.clientport = 1 | meridian.edge.clientport"
            })
    void whatCannotBeIsRefusedByName(String line, String message) {
        assertThatThrownBy(() -> load("meridian." + line))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining(message);
    }

    @Test
    void modelsAreBoundByName() throws Exception {
        ResidencySettings residency = load("meridian.residency.models { \"a.b\" = [us, eu], c = [\"eu\"] }")
                .residency();
        assertThat(residency.of("a.b")).hasToString("eu, us");
        assertThat(residency.of("c")).hasToString("eu");
        assertThat(residency.of("d")).isEqualTo(Residency.ANYWHERE);
    }

    @Test
    void anUnknownKeyIsNamedWithFileAndLine() {
        assertThatThrownBy(() -> load("meridian {\n  node {\n    idd = eu-1\n  }\n}\n"))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("node.conf: 3")
                .hasMessageContaining("meridian.node.idd")
                .hasMessageContaining("no such key");
    }
}
