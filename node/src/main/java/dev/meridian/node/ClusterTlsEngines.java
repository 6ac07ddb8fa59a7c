package dev.meridian.node;

import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.pekko.remote.artery.tcp.SSLEngineProvider;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;

/**
 * Artery's TLS: both ends show a certificate that a CA of the cluster has signed and that names the cluster, and whoever
 * connects asks for one that is for the host it connects to. TLS 1.3 alone. Connections to come go by the newest good files;
 * a connection keeps what it began with. Thread-safe.
 *
 * <p>Pekko's own provider that reads files again knows RSA keys alone, and takes any name that two certificates share for the
 * cluster's, be it a host's.
 */
final class ClusterTlsEngines implements SSLEngineProvider {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterTlsEngines.class);
    private static final String[] PROTOCOLS = {"TLSv1.3"};

    private final ClusterTlsSettings settings;
    private final String host;
    private final InstantSource clock;
    private ClusterTlsKeys keys;
    private Instant readAt;
    private String said = "";
    private volatile String refused = "";

    /**
     * Reads the files.
     *
     * @param host where the other nodes look for this one
     * @throws ClusterTlsException naming the file that does not do
     */
    ClusterTlsEngines(ClusterTlsSettings settings, String host, InstantSource clock) {
        this.settings = settings;
        this.host = host;
        this.clock = clock;
        readAt = clock.instant();
        keys = ClusterTlsKeys.load(settings, host, readAt);
    }

    /** What connections to come go by. Files that do not do, as while they are written, leave it as it was. */
    private synchronized ClusterTlsKeys keys() {
        Instant now = clock.instant();
        if (now.isBefore(readAt.plus(settings.reloadInterval()))) {
            return keys;
        }
        readAt = now;
        try {
            ClusterTlsKeys fresh = ClusterTlsKeys.load(settings, host, now);
            if (!fresh.certificate().equals(keys.certificate())) {
                LOG.info(
                        "certificate between nodes read again: {}, valid until {}",
                        settings.certificate(),
                        fresh.certificate().getNotAfter().toInstant());
            }
            keys = fresh;
            said = "";
        } catch (ClusterTlsException e) {
            String why = String.valueOf(e.getMessage());
            if (!why.equals(said)) {
                said = why;
                LOG.warn("the certificate between nodes stays as it was: {}", why);
            }
        }
        return keys;
    }

    @Override
    public SSLEngine createServerSSLEngine(String bindHost, int port) {
        SSLEngine engine = keys().context().createSSLEngine();
        engine.setUseClientMode(false);
        engine.setEnabledProtocols(PROTOCOLS);
        engine.setNeedClientAuth(true);
        return engine;
    }

    @Override
    public SSLEngine createClientSSLEngine(String peer, int port) {
        SSLEngine engine = keys().context().createSSLEngine(peer, port);
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(PROTOCOLS);
        SSLParameters parameters = engine.getSSLParameters();
        // RFC 2818: the certificate must be for the host that was connected to.
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
        return engine;
    }

    /** Pekko logs what becomes of a connection that this node opened. */
    @Override
    public Option<Throwable> verifyClientSession(String peer, SSLSession session) {
        return Option.apply(fault(session));
    }

    /** It says nothing of one that another opened. */
    @Override
    public Option<Throwable> verifyServerSession(String bindHost, SSLSession session) {
        Throwable fault = fault(session);
        String why = fault == null ? "" : String.valueOf(fault.getMessage());
        if (!why.isEmpty() && !why.equals(refused)) {
            // Whoever is refused comes again every few seconds: one line is enough.
            refused = why;
            LOG.warn("refused a node: {}", why);
        }
        return Option.apply(fault);
    }

    /** Null where the other end belongs to this cluster. */
    private @Nullable Throwable fault(SSLSession session) {
        try {
            Certificate shown = session.getPeerCertificates()[0];
            if (shown instanceof X509Certificate x509 && NodeCertificate.belongsTo(x509, settings.clusterName())) {
                return null;
            }
            String names = shown instanceof X509Certificate x509
                    ? NodeCertificate.names(x509).toString()
                    : shown.getType();
            return new SSLPeerUnverifiedException("its certificate is for " + names + " and does not name the cluster '"
                    + settings.clusterName() + "'");
        } catch (SSLPeerUnverifiedException e) {
            return e;
        }
    }
}
