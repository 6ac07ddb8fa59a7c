package dev.meridian.edge.access;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who may use the edge; {@code meridian.edge} in reference.conf says what each means.
 *
 * @param alwaysAuth whether loopback asks for keys, too
 * @param allowedHosts names besides the loopback's
 * @param corsOrigins patterns as in {@link OriginCheck}
 * @param reloadInterval how often keys and certificates are looked at
 * @param tls null where there is no TLS
 */
public record AccessSettings(
        boolean alwaysAuth,
        Path keysFile,
        List<String> allowedHosts,
        List<String> corsOrigins,
        Duration reloadInterval,
        @Nullable Tls tls) {
    /** PEM files: a chain with the server's own certificate first, and its key. */
    public record Tls(Path certificate, Path key) {}

    public AccessSettings {
        allowedHosts = List.copyOf(allowedHosts);
        corsOrigins = List.copyOf(corsOrigins);
        new OriginCheck(corsOrigins);
        if (!reloadInterval.isPositive()) {
            throw new IllegalArgumentException("reload-interval must be positive");
        }
    }

    /** Whether a port at such an address asks for keys. */
    public boolean needsKey(InetAddress address) {
        return alwaysAuth || !address.isLoopbackAddress();
    }

    /** Reads its part of {@code meridian.edge}. */
    public static AccessSettings of(Config edge) {
        String auth = edge.getString("auth");
        if (!auth.equals("auto") && !auth.equals("always")) {
            throw new ConfigException.BadValue(edge.getValue("auth").origin(), "auth", "expected auto or always");
        }
        String certificate = edge.getString("tls.certificate");
        String key = edge.getString("tls.key");
        if (certificate.isEmpty() != key.isEmpty()) {
            throw new IllegalArgumentException("meridian.edge.tls needs both certificate and key, or neither");
        }
        return new AccessSettings(
                auth.equals("always"),
                // The launcher names the checkout, where a relative path starts.
                Path.of(System.getProperty("meridian.home", "")).resolve(edge.getString("keys-file")),
                edge.getStringList("allowed-hosts"),
                edge.getStringList("cors-origins"),
                edge.getDuration("reload-interval"),
                certificate.isEmpty() ? null : new Tls(Path.of(certificate), Path.of(key)));
    }
}
