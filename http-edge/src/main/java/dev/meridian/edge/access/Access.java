package dev.meridian.edge.access;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keys and certificates of a running edge, read at start and again when they change. It does not exist for an edge that
 * would be open: an address that others can reach needs TLS and a key.
 */
public final class Access {
    private final AccessSettings settings;
    private final KeyRing keys;
    private final Limiter limiter;
    private final @Nullable ServerTls tls;

    private Access(AccessSettings settings, KeyRing keys, Limiter limiter, @Nullable ServerTls tls) {
        this.settings = settings;
        this.keys = keys;
        this.limiter = limiter;
        this.tls = tls;
    }

    /**
     * Reads keys and certificate and holds them against the addresses.
     *
     * @throws AccessException saying what is missing and by which commands it comes
     */
    public static Access open(AccessSettings settings, String clientHost, String adminHost, InstantSource clock) {
        Access access = new Access(
                settings,
                new KeyRing(new KeyFile(settings.keysFile()), clock),
                new Limiter(System::nanoTime),
                settings.tls() == null ? null : new ServerTls(settings.tls(), clock));
        access.requireClosed("client-host", clientHost, Role.CLIENT);
        access.requireClosed("admin-host", adminHost, Role.ADMIN);
        return access;
    }

    private void requireClosed(String setting, String host, Role needed) {
        if (address(setting, host).isLoopbackAddress()) {
            return;
        }
        boolean key = keys.hasKeyFor(needed);
        if (key && tls != null) {
            return;
        }
        StringBuilder todo = new StringBuilder("meridian.edge.")
                .append(setting)
                .append(' ')
                .append(host)
                .append(" is not a loopback address: others could reach it, so it needs ");
        todo.append(key ? "TLS" : tls != null ? "a key" : "a key and TLS").append('.');
        if (!key) {
            todo.append(" Make a key with './meridian keys add --name NAME --role ")
                    .append(needed.wireName())
                    .append("' (it goes to ")
                    .append(settings.keysFile())
                    .append(").");
        }
        if (tls == null) {
            todo.append(
                    " Set meridian.edge.tls { certificate = \"cert.pem\", key = \"key.pem\" }; for a trial, 'openssl"
                            + " req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost"
                            + " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem' makes a pair.");
        }
        todo.append(" Or bind to 127.0.0.1.");
        throw new AccessException(todo.toString(), null);
    }

    private static InetAddress address(String setting, String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new AccessException("meridian.edge." + setting + " " + host + ": unknown host", e);
        }
    }

    /** What guards the client port. */
    public Gate clientGate(String host) {
        return gate("client-host", host, new OriginCheck(settings.corsOrigins()));
    }

    /** What guards the admin port, which no page has business with. */
    public Gate adminGate(String host) {
        return gate("admin-host", host, new OriginCheck(List.of()));
    }

    private Gate gate(String setting, String host, OriginCheck origins) {
        InetAddress address = address(setting, host);
        boolean checkHost =
                address.isLoopbackAddress() || !settings.allowedHosts().isEmpty();
        boolean needsKey = settings.needsKey(address);
        return new Gate(checkHost ? new HostCheck(settings.allowedHosts()) : null, origins, needsKey ? keys : null);
    }

    public Limiter limiter() {
        return limiter;
    }

    public Optional<ServerTls> tls() {
        return Optional.ofNullable(tls);
    }

    /** Looks at the files again; blocks. */
    public void refresh() {
        keys.refresh();
        limiter.keepOnly(keys.keys());
        if (tls != null) {
            tls.refresh();
        }
    }
}
