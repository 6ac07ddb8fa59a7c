package dev.meridian.node;

import dev.meridian.edge.access.AccessSettings;
import dev.meridian.edge.access.PemPair;
import dev.meridian.edge.access.WholeFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Files of a cluster's TLS, made at any time and for any names; {@code ca.pem} and its key lie beside them. */
final class NodeFiles {
    static final Duration DAY = Duration.ofDays(1);

    private final Path folder;

    NodeFiles(Path folder, Instant now) throws Exception {
        this.folder = folder;
        write("ca", CertificateAuthority.create(new SecureRandom(), now));
    }

    Path file(String name) {
        return folder.resolve(name + ".pem");
    }

    /** {@code name.pem} and {@code name-key.pem}, for a day. */
    ClusterTlsSettings make(String name, Instant now, String... names) throws Exception {
        PemPair.Identity ca = open("ca");
        write(name, CertificateAuthority.of(ca, new SecureRandom()).issue(name, List.of(names), now, DAY));
        return settings(name);
    }

    /** The same certificate, signed anew for one end of a connection alone. */
    void restrict(String name, KeyPurposeId purpose, String... names) throws Exception {
        PemPair.Identity ca = open("ca");
        X509Certificate before = open(name).chain().getFirst();
        GeneralName[] alternatives = List.of(names).stream()
                .map(each -> new GeneralName(
                        NodeCertificate.isAddress(each) ? GeneralName.iPAddress : GeneralName.dNSName, each))
                .toArray(GeneralName[]::new);
        var builder = new JcaX509v3CertificateBuilder(
                        ca.chain().getFirst(),
                        before.getSerialNumber(),
                        before.getNotBefore(),
                        before.getNotAfter(),
                        before.getSubjectX500Principal(),
                        before.getPublicKey())
                .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose))
                .addExtension(Extension.subjectAlternativeName, false, new GeneralNames(alternatives));
        X509Certificate restricted = new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(ca.key())));
        WholeFile.write(
                file(name),
                ("-----BEGIN CERTIFICATE-----\n"
                                + Base64.getMimeEncoder().encodeToString(restricted.getEncoded())
                                + "\n-----END CERTIFICATE-----\n")
                        .getBytes(StandardCharsets.US_ASCII));
    }

    private PemPair.Identity open(String name) {
        return PemPair.read(new AccessSettings.Tls(file(name), file(name + "-key")))
                .open(Instant.now());
    }

    ClusterTlsSettings settings(String name) {
        return new ClusterTlsSettings(
                file("ca"), file(name), file(name + "-key"), ClusterTlsSettings.CLUSTER_NAME, Duration.ofMinutes(1));
    }

    private void write(String name, CertificateAuthority.Made made) throws Exception {
        WholeFile.writeSecret(file(name + "-key"), made.keyPem());
        WholeFile.write(file(name), made.certificatePem());
    }
}
