package dev.meridian.node;

import dev.meridian.edge.access.PemPair;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Makes the certificates of a cluster's nodes (RFC 5280): keys on the curve P-256, a CA that signs nodes and no other CA, and
 * certificates that do for either end of a connection and for nothing else. Cryptography is the JDK's; Bouncy Castle writes
 * the certificates down.
 */
final class CertificateAuthority {
    private static final Duration OWN_VALIDITY = Duration.ofDays(3650);
    /** Clocks of other nodes may be late. */
    private static final Duration BACKDATED = Duration.ofHours(1);

    private static final int SERIAL_BITS = 127;

    private final PrivateKey key;
    private final X509Certificate certificate;
    private final SecureRandom random;

    private CertificateAuthority(PrivateKey key, X509Certificate certificate, SecureRandom random) {
        this.key = key;
        this.certificate = certificate;
        this.random = random;
    }

    /** A certificate and its key; the key's text is a secret. */
    static final class Made {
        private final X509Certificate certificate;
        private final PrivateKey key;

        private Made(X509Certificate certificate, PrivateKey key) {
            this.certificate = certificate;
            this.key = key;
        }

        X509Certificate certificate() {
            return certificate;
        }

        byte[] certificatePem() throws GeneralSecurityException {
            return pem("CERTIFICATE", certificate.getEncoded());
        }

        /** PKCS#8, without a password. */
        byte[] keyPem() {
            return pem("PRIVATE KEY", key.getEncoded());
        }

        private static byte[] pem(String label, byte[] der) {
            String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
            return ("-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n")
                    .getBytes(StandardCharsets.US_ASCII);
        }
    }

    /** One that exists. */
    static CertificateAuthority of(PemPair.Identity identity, SecureRandom random) {
        return new CertificateAuthority(identity.key(), identity.chain().getFirst(), random);
    }

    static CertificateAuthority of(Made made, SecureRandom random) {
        return new CertificateAuthority(made.key, made.certificate, random);
    }

    /** A new one, under a name that no other has, so that two of them can be told apart in a file. */
    static Made create(SecureRandom random, Instant now) throws GeneralSecurityException {
        KeyPair pair = newPair(random);
        byte[] suffix = new byte[4];
        random.nextBytes(suffix);
        X500NameBuilder name = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, "Meridian nodes " + HexFormat.of().formatHex(suffix));
        try {
            JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
            X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                            name.build(),
                            new BigInteger(SERIAL_BITS, random),
                            Date.from(now.minus(BACKDATED)),
                            Date.from(now.plus(OWN_VALIDITY).truncatedTo(ChronoUnit.SECONDS)),
                            name.build(),
                            pair.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
                    .addExtension(
                            Extension.subjectKeyIdentifier,
                            false,
                            extensions.createSubjectKeyIdentifier(pair.getPublic()));
            return new Made(sign(builder, pair.getPrivate()), pair.getPrivate());
        } catch (IOException | OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }

    Instant validUntil() {
        return certificate.getNotAfter().toInstant();
    }

    /**
     * A node's certificate.
     *
     * @param node for its subject, which is for people to read
     * @param names the cluster's and the hosts'
     */
    Made issue(String node, List<String> names, Instant now, Duration validity) throws GeneralSecurityException {
        KeyPair pair = newPair(random);
        GeneralName[] alternatives = names.stream()
                .map(name -> new GeneralName(
                        NodeCertificate.isAddress(name) ? GeneralName.iPAddress : GeneralName.dNSName, name))
                .toArray(GeneralName[]::new);
        try {
            JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
            X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                            certificate,
                            new BigInteger(SERIAL_BITS, random),
                            Date.from(now.minus(BACKDATED)),
                            Date.from(now.plus(validity).truncatedTo(ChronoUnit.SECONDS)),
                            new X500NameBuilder(BCStyle.INSTANCE)
                                    .addRDN(BCStyle.CN, node)
                                    .build(),
                            pair.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                    .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                        KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                    }))
                    .addExtension(Extension.subjectAlternativeName, false, new GeneralNames(alternatives))
                    .addExtension(
                            Extension.subjectKeyIdentifier,
                            false,
                            extensions.createSubjectKeyIdentifier(pair.getPublic()))
                    .addExtension(
                            Extension.authorityKeyIdentifier,
                            false,
                            extensions.createAuthorityKeyIdentifier(certificate));
            return new Made(sign(builder, key), pair.getPrivate());
        } catch (IOException | OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }

    private static KeyPair newPair(SecureRandom random) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), random);
        return generator.generateKeyPair();
    }

    private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey signer)
            throws GeneralSecurityException, OperatorCreationException {
        String algorithm = switch (signer.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> signer.getAlgorithm();
        };
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder(algorithm).build(signer)));
    }
}
