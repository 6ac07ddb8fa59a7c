package dev.meridian.edge.access;

import java.time.InstantSource;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TLS for connections to come, by the newest good certificate; a connection keeps the one that it began with. Thread-safe;
 * {@link #refresh} reads files and belongs on a thread that may block.
 */
public final class ServerTls {
    private static final Logger LOG = LoggerFactory.getLogger(ServerTls.class);
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    private final AccessSettings.Tls files;
    private final InstantSource clock;
    private PemPair served;
    private String said = "";
    private volatile SSLContext context;

    /** @throws AccessException naming the file that is missing, expired, or not the other one's */
    ServerTls(AccessSettings.Tls files, InstantSource clock) {
        this.files = files;
        this.clock = clock;
        served = PemPair.read(files);
        context = served.toContext(clock.instant(), null);
    }

    /** Takes changed files. A pair that does not belong together, as while it is written, keeps the old one. */
    public synchronized void refresh() {
        try {
            PemPair now = PemPair.read(files);
            if (now.isSameAs(served)) {
                said = "";
                return;
            }
            // Files that were refused are tried again, so that a pair that is not valid yet is taken when it is.
            context = now.toContext(clock.instant(), null);
            served = now;
            said = "";
            LOG.info("certificate read again: {}", files.certificate());
        } catch (AccessException e) {
            String why = String.valueOf(e.getMessage());
            if (!why.equals(said)) {
                said = why;
                LOG.warn("the certificate stays as it was: {}", why);
            }
        }
    }

    /** A new connection's engine. */
    public SSLEngine newEngine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setEnabledProtocols(PROTOCOLS);
        return engine;
    }
}
