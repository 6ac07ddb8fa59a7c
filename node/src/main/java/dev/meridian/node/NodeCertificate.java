package dev.meridian.node;

import java.net.InetAddress;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * What a node's certificate says of it, all among its subject alternative names (RFC 5280, section 4.2.1.6): the cluster's
 * name and the hosts at which the node may be.
 */
final class NodeCertificate {
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;

    private NodeCertificate() {}

    /** DNS names and addresses, in the certificate's order; other kinds of names are left out. */
    static List<String> names(X509Certificate certificate) {
        try {
            Collection<List<?>> all = certificate.getSubjectAlternativeNames();
            return all == null
                    ? List.of()
                    : all.stream()
                            .filter(name -> name.getFirst().equals(DNS_NAME)
                                    || name.getFirst().equals(IP_ADDRESS))
                            .map(name -> String.valueOf(name.get(1)))
                            .toList();
        } catch (CertificateParsingException _) {
            return List.of();
        }
    }

    /** Exactly so: a wildcard is no name of a cluster. */
    static boolean belongsTo(X509Certificate certificate, String clusterName) {
        return names(certificate).contains(clusterName);
    }

    /** As the other nodes will judge (RFC 6125): a name stands for itself, and a {@code *} for its leftmost label. */
    static boolean isFor(X509Certificate certificate, String host) {
        String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        return names(certificate).stream().anyMatch(name -> matches(name, bare));
    }

    private static boolean matches(String name, String host) {
        if (isAddress(host)) {
            return isAddress(name) && InetAddress.ofLiteral(name).equals(InetAddress.ofLiteral(host));
        }
        String lower = host.toLowerCase(Locale.ROOT);
        String pattern = name.toLowerCase(Locale.ROOT);
        int dot = lower.indexOf('.');
        return lower.equals(pattern)
                || (pattern.startsWith("*.") && dot > 0 && lower.substring(dot).equals(pattern.substring(1)));
    }

    /** Whether it is an IP address and no name; asks nobody. */
    static boolean isAddress(String host) {
        try {
            InetAddress.ofLiteral(host);
            return true;
        } catch (IllegalArgumentException _) {
            return false;
        }
    }
}
