package dev.meridian.edge.access;

import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.List;

/** The certificates of a PEM file, in its order. Every fault names the file. */
public final class PemCertificates {
    private PemCertificates() {}

    /**
     * All of them.
     *
     * @throws AccessException where the file cannot be read or holds no certificate
     */
    public static List<X509Certificate> read(Path file) {
        return parse(file, PemPair.bytes(file));
    }

    static List<X509Certificate> parse(Path file, byte[] pem) {
        try {
            Collection<? extends Certificate> read =
                    CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem));
            if (read.isEmpty()) {
                throw new AccessException(file + ": no certificate in it", null);
            }
            return read.stream().map(X509Certificate.class::cast).toList();
        } catch (CertificateException e) {
            throw new AccessException(file + ": not a PEM certificate: " + e.getMessage(), e);
        }
    }

    /**
     * Looks at the time alone.
     *
     * @param file what holds the certificate
     * @throws AccessException where it has expired or is not valid yet
     */
    public static void requireValid(Path file, X509Certificate certificate, Instant now) {
        try {
            certificate.checkValidity(Date.from(now));
        } catch (CertificateExpiredException e) {
            throw new AccessException(
                    file + ": the certificate expired at "
                            + certificate.getNotAfter().toInstant(),
                    e);
        } catch (CertificateNotYetValidException e) {
            throw new AccessException(
                    file + ": the certificate is not valid before "
                            + certificate.getNotBefore().toInstant(),
                    e);
        }
    }
}
