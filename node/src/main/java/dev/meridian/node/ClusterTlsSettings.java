package dev.meridian.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigUtil;
import dev.meridian.protocol.cluster.ReplicaId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * TLS between nodes; {@code meridian.cluster.tls} in reference.conf says what each means.
 *
 * @param ca PEM file with the certificates of those who vouch for nodes
 * @param certificate PEM file with what this node shows, its own certificate first
 * @param privateKey PEM file with its private key
 * @param clusterName what a certificate names if its holder belongs to this cluster
 * @param reloadInterval how old what was read of the files may become
 */
record ClusterTlsSettings(Path ca, Path certificate, Path privateKey, String clusterName, Duration reloadInterval) {
    static final String KEY = "meridian.cluster.tls";
    static final String CLUSTER_NAME = "meridian";

    ClusterTlsSettings {
        if (!isClusterName(clusterName)) {
            throw new IllegalArgumentException(KEY + ".cluster-name '" + clusterName
                    + "': expected 1 to 32 characters of a-z, 0-9 and -, the first and last no -");
        }
        if (!reloadInterval.isPositive()) {
            throw new IllegalArgumentException(KEY + ".reload-interval must be positive");
        }
    }

    static boolean isClusterName(String name) {
        return ReplicaId.NAME.matcher(name).matches();
    }

    /** Its part of {@code meridian.cluster}; null where no file is named. */
    static @Nullable ClusterTlsSettings of(Config cluster) {
        List<String> files = List.of(
                cluster.getString("tls.ca"),
                cluster.getString("tls.certificate"),
                cluster.getString("tls.private-key"));
        if (files.stream().allMatch(String::isEmpty)) {
            return null;
        }
        if (files.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException(KEY + " needs ca, certificate and private-key, or none of them");
        }
        Path home = Path.of(System.getProperty("meridian.home", ""));
        return new ClusterTlsSettings(
                home.resolve(files.get(0)),
                home.resolve(files.get(1)),
                home.resolve(files.get(2)),
                cluster.getString("tls.cluster-name"),
                cluster.getDuration("tls.reload-interval"));
    }

    /** The lines that a node's configuration needs for such files. */
    static List<String> lines(Path ca, Path certificate, Path privateKey, String clusterName) {
        return List.of(
                KEY + " {",
                "  ca = " + ConfigUtil.quoteString(ca.toString()),
                "  certificate = " + ConfigUtil.quoteString(certificate.toString()),
                "  private-key = " + ConfigUtil.quoteString(privateKey.toString()),
                clusterName.equals(CLUSTER_NAME) ? "}" : "  cluster-name = " + clusterName + "\n}");
    }
}
