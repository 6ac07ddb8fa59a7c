package dev.meridian.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.meridian.placement.Members;
import dev.meridian.protocol.cluster.ReplicaId;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who a node is in its cluster, and where it finds the others; see {@code meridian.node} and {@code meridian.cluster} in
 * reference.conf.
 *
 * @param stateFile where it keeps its region's pins
 * @param host at which others reach it
 * @param bindHost at which it listens; where it is not {@code host}, something in between passes on what comes there
 * @param outboundHost from which it connects to others; empty where the system chooses
 * @param seedNodes {@code host:port}; none makes a cluster of its own
 * @param tls null where nodes talk in clear
 */
record ClusterSettings(
        String node,
        String region,
        List<String> roles,
        Path stateFile,
        String host,
        int port,
        String bindHost,
        int bindPort,
        String outboundHost,
        List<String> seedNodes,
        int minMembers,
        @Nullable ClusterTlsSettings tls) {
    static final String EDGE = "edge";
    static final String MODEL = "model";
    /** Name of every actor system, which is a part of all addresses. */
    static final String SYSTEM = "meridian";

    private static final Pattern SEED = Pattern.compile("\\[?[A-Za-z0-9.:_-]+]?:[0-9]{1,5}");

    ClusterSettings {
        roles = List.copyOf(roles);
        seedNodes = List.copyOf(seedNodes);
        requireName("id", node);
        requireName("region", region);
        if (roles.isEmpty()
                || !Set.of(EDGE, MODEL).containsAll(roles)
                || Set.copyOf(roles).size() < roles.size()) {
            throw new IllegalArgumentException(
                    "meridian.node.roles " + roles + ": expected \"edge\", \"model\" or both, each once");
        }
        if (tls == null) {
            requireLoopback("host", host, node, host);
            requireLoopback("bind-host", bindHost, node, host);
        }
        requirePort("port", port);
        requirePort("bind-port", bindPort);
        requireKnown("bind-host", bindHost);
        requireKnown("outbound-host", outboundHost);
        for (String seed : seedNodes) {
            if (!SEED.matcher(seed).matches()) {
                throw new IllegalArgumentException("meridian.cluster.seed-nodes '" + seed + "': expected host:port");
            }
        }
        if (minMembers < 1) {
            throw new IllegalArgumentException("meridian.cluster.min-members " + minMembers + ": expected at least 1");
        }
    }

    private static void requireLoopback(String key, String address, String node, String host) {
        if (!requireKnown(key, address).isLoopbackAddress()) {
            throw new IllegalArgumentException("meridian.cluster." + key + " \"" + address
                    + "\" is not a loopback address: others could reach it, so it needs meridian.cluster.tls; './meridian"
                    + " certs --out certs " + node + "=" + host + "' makes the files and says what to configure");
        }
    }

    /** Empty is the loopback address. */
    private static InetAddress requireKnown(String key, String address) {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(
                    "meridian.cluster." + key + " \"" + address + "\" is no known address", e);
        }
    }

    private static void requirePort(String key, int port) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("meridian.cluster." + key + " " + port + ": expected 0 to 65535");
        }
    }

    private static void requireName(String key, String value) {
        if (!ReplicaId.NAME.matcher(value).matches()) {
            throw new IllegalArgumentException("meridian.node." + key + " '" + value
                    + "': expected 1 to 32 characters of a-z, 0-9 and -, the first and last no -");
        }
    }

    static ClusterSettings from(Config root) {
        Config node = root.getConfig("meridian.node");
        Config cluster = root.getConfig("meridian.cluster");
        String id = node.getString("id");
        String host = cluster.getString("host");
        int port = cluster.getInt("port");
        String bindHost = cluster.getString("bind-host");
        return new ClusterSettings(
                id,
                node.getString("region"),
                node.getStringList("roles"),
                Path.of(System.getProperty("meridian.home", ""))
                        .resolve(node.getString("state-dir"))
                        .resolve(id + ".pins"),
                host,
                port,
                bindHost.isEmpty() ? host : bindHost,
                cluster.getString("bind-port").isEmpty() ? port : cluster.getInt("bind-port"),
                cluster.getString("outbound-host"),
                cluster.getStringList("seed-nodes"),
                cluster.getInt("min-members"),
                ClusterTlsSettings.of(cluster));
    }

    boolean isEdge() {
        return roles.contains(EDGE);
    }

    boolean holdsModels() {
        return roles.contains(MODEL);
    }

    /** What follows from it for Pekko. */
    Config pekko() {
        List<String> all = new ArrayList<>(roles);
        all.add(Members.role(node));
        return ConfigFactory.parseMap(
                Map.of(
                        "pekko.remote.artery.canonical.hostname", host,
                        "pekko.remote.artery.canonical.port", port,
                        "pekko.remote.artery.bind.hostname", bindHost,
                        "pekko.remote.artery.bind.port", bindPort,
                        "pekko.remote.artery.advanced.tcp.outbound-client-hostname", outboundHost,
                        "pekko.cluster.roles", all,
                        "pekko.cluster.multi-data-center.self-data-center", region,
                        "pekko.cluster.min-nr-of-members", minMembers),
                "meridian.cluster");
    }

    /** What no user's file may undo: where there are certificates nobody talks in clear, and else nobody else may listen. */
    Config transport() {
        return ConfigFactory.parseMap(
                tls != null
                        ? Map.of("pekko.remote.artery.enabled", true, "pekko.remote.artery.transport", "tls-tcp")
                        : Map.of(
                                "pekko.remote.artery.enabled",
                                true,
                                "pekko.remote.artery.canonical.hostname",
                                host,
                                "pekko.remote.artery.bind.hostname",
                                bindHost),
                "meridian.cluster");
    }

    /** The addresses of the seed nodes as Pekko writes them. */
    List<String> seedAddresses() {
        return seedNodes.stream().map(seed -> "pekko://" + SYSTEM + "@" + seed).toList();
    }
}
