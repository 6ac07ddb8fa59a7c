package dev.meridian.node;

import dev.meridian.edge.access.AccessException;
import dev.meridian.edge.access.AccessSettings;
import dev.meridian.edge.access.PemCertificates;
import dev.meridian.edge.access.PemPair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * What a node shows the others, and whom it believes, as its three files say at a moment.
 *
 * @param certificate the node's own
 */
record ClusterTlsKeys(SSLContext context, X509Certificate certificate) {
    /** The JDK checks key usage by the key exchange; TLS 1.3 has none to name. */
    private static final String ANY_EXCHANGE = "UNKNOWN";

    /**
     * Reads the files and holds them against one another.
     *
     * @param host where the other nodes will look for this one
     * @throws ClusterTlsException naming key, file and fault
     */
    static ClusterTlsKeys load(ClusterTlsSettings files, String host, Instant now) {
        requirePrivate(files.privateKey());
        X509TrustManager trust = trust(files.ca(), now);
        try {
            PemPair pair = PemPair.read(new AccessSettings.Tls(files.certificate(), files.privateKey()));
            List<X509Certificate> chain = pair.open(now).chain();
            requireSigned(files, trust, chain);
            requireNames(files, host, chain.getFirst());
            return new ClusterTlsKeys(pair.toContext(now, new TrustManager[] {trust}), chain.getFirst());
        } catch (AccessException e) {
            String message = String.valueOf(e.getMessage());
            boolean ofKey = message.startsWith(files.privateKey() + ":");
            throw refused(ofKey ? "private-key" : "certificate", message, e);
        }
    }

    private static ClusterTlsException refused(String key, String message, Exception cause) {
        return new ClusterTlsException(ClusterTlsSettings.KEY + "." + key + ": " + message, cause);
    }

    private static ClusterTlsException refused(String key, String message) {
        return new ClusterTlsException(ClusterTlsSettings.KEY + "." + key + ": " + message, null);
    }

    /** A group may read it, for that is how a service is lent a key; everybody may not. */
    private static void requirePrivate(Path key) {
        if (!key.getFileSystem().supportedFileAttributeViews().contains("posix") || Files.notExists(key)) {
            return;
        }
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(key);
            if (permissions.contains(PosixFilePermission.OTHERS_READ)
                    || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
                throw refused("private-key", key + ": every user of this machine can read or write it; chmod 600 it");
            }
        } catch (IOException e) {
            throw refused("private-key", key + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static X509TrustManager trust(Path ca, Instant now) {
        try {
            KeyStore anchors = KeyStore.getInstance("PKCS12");
            anchors.load(null, null);
            for (X509Certificate anchor : PemCertificates.read(ca)) {
                // The JDK takes whatever is an anchor on trust, a node's own certificate and one that is over, too.
                if (anchor.getBasicConstraints() < 0) {
                    throw refused("ca", ca + ": " + anchor.getSubjectX500Principal() + " is no CA's certificate");
                }
                PemCertificates.requireValid(ca, anchor, now);
                anchors.setCertificateEntry("ca-" + anchors.size(), anchor);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(anchors);
            return (X509TrustManager) factory.getTrustManagers()[0];
        } catch (AccessException e) {
            throw refused("ca", String.valueOf(e.getMessage()), e);
        } catch (GeneralSecurityException | IOException e) {
            throw refused("ca", ca + ": cannot be used for TLS: " + e.getMessage(), e);
        }
    }

    /** A node opens connections and takes them, so its certificate must do for either end. */
    private static void requireSigned(ClusterTlsSettings files, X509TrustManager trust, List<X509Certificate> chain) {
        X509Certificate[] shown = chain.toArray(new X509Certificate[0]);
        try {
            trust.checkServerTrusted(shown, ANY_EXCHANGE);
            trust.checkClientTrusted(shown, ANY_EXCHANGE);
        } catch (CertificateException e) {
            throw refused(
                    "certificate",
                    files.certificate() + ": " + files.ca() + " does not vouch for it as server and client: "
                            + e.getMessage(),
                    e);
        }
    }

    private static void requireNames(ClusterTlsSettings files, String host, X509Certificate own) {
        if (!NodeCertificate.belongsTo(own, files.clusterName())) {
            throw refused(
                    "certificate",
                    files.certificate() + ": it is for " + NodeCertificate.names(own)
                            + " and does not name the cluster '" + files.clusterName() + "', see cluster-name");
        }
        if (!NodeCertificate.isFor(own, host)) {
            throw refused(
                    "certificate",
                    files.certificate() + ": it is for " + NodeCertificate.names(own)
                            + " and not for meridian.cluster.host " + host);
        }
    }
}
