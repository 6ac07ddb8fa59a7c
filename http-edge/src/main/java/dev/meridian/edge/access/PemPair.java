package dev.meridian.edge.access;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * A certificate chain and its private key out of two PEM files (RFC 7468). Keys are EC, RSA or EdDSA, in PKCS#8 or in the
 * older forms that OpenSSL writes (PKCS#1, SEC 1), without a password. Every fault names the file.
 */
public final class PemPair {
    /** A private key and the chain that vouches for it, its own certificate first. */
    public record Identity(PrivateKey key, List<X509Certificate> chain) {
        public Identity {
            chain = List.copyOf(chain);
        }

        /** Without the key. */
        @Override
        public String toString() {
            return "Identity[" + chain.getFirst().getSubjectX500Principal() + "]";
        }
    }

    /** Chains have some kilobytes. */
    private static final int MAX_BYTES = 1 << 20;

    private static final Pattern KEY = Pattern.compile(
            "-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");
    private static final byte[] PKCS8_VERSION = {2, 1, 0};
    private static final int SEQUENCE = 0x30;
    private static final int OCTET_STRING = 0x04;

    private final AccessSettings.Tls files;
    private final byte[] certificateBytes;
    private final byte[] keyBytes;

    private PemPair(AccessSettings.Tls files, byte[] certificateBytes, byte[] keyBytes) {
        this.files = files;
        this.certificateBytes = certificateBytes;
        this.keyBytes = keyBytes;
    }

    /** The files' bytes as they are now, not looked into. */
    public static PemPair read(AccessSettings.Tls files) {
        return new PemPair(files, bytes(files.certificate()), bytes(files.key()));
    }

    static byte[] bytes(Path file) {
        byte[] bytes = BoundedFile.read(file, MAX_BYTES);
        if (bytes.length == 0) {
            throw new AccessException(file + ": no such file, or it is empty", null);
        }
        return bytes;
    }

    boolean isSameAs(PemPair other) {
        return Arrays.equals(certificateBytes, other.certificateBytes) && Arrays.equals(keyBytes, other.keyBytes);
    }

    /**
     * What the files hold.
     *
     * @throws AccessException where the two do not belong together, or the certificate is not valid at {@code now}
     */
    public Identity open(Instant now) {
        List<X509Certificate> chain = PemCertificates.parse(files.certificate(), certificateBytes);
        X509Certificate own = chain.getFirst();
        PemCertificates.requireValid(files.certificate(), own, now);
        PrivateKey key = key(own.getPublicKey());
        requireMatch(key, own.getPublicKey());
        return new Identity(key, chain);
    }

    /**
     * TLS that shows this certificate.
     *
     * @param trust who decides on the other side's certificates; null leaves it to the JDK
     * @throws AccessException as {@link #open}
     */
    public SSLContext toContext(Instant now, TrustManager @Nullable [] trust) {
        Identity identity = open(now);
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry(
                    "own", identity.key(), new char[0], identity.chain().toArray(new X509Certificate[0]));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, new char[0]);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new AccessException(files.certificate() + ": cannot be used for TLS: " + e.getMessage(), e);
        }
    }

    private PrivateKey key(PublicKey certified) {
        Matcher pem = KEY.matcher(new String(keyBytes, StandardCharsets.ISO_8859_1));
        if (!pem.find()) {
            throw new AccessException(files.key() + ": no private key in PEM in it", null);
        }
        if (pem.group(1).startsWith("ENCRYPTED")) {
            throw new AccessException(files.key() + ": the key has a password; write it without one", null);
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(pem.group(2));
            byte[] pkcs8 = pem.group(1).equals("PRIVATE KEY") ? der : wrap(der, certified);
            return KeyFactory.getInstance(certified.getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException | IllegalArgumentException _) {
            // Without the cause: a parser's message may show parts of the key.
            throw new AccessException(
                    files.key() + ": not a " + certified.getAlgorithm() + " key, as its certificate "
                            + files.certificate() + " needs",
                    null);
        }
    }

    /** PKCS#8 (RFC 5958) around an older form, with the algorithm and curve that the certificate's public key names. */
    private static byte[] wrap(byte[] key, PublicKey certified) {
        byte[] spki = certified.getEncoded();
        int outer = headerBytes(spki, 0);
        int algorithmBytes = headerBytes(spki, outer) + lengthAt(spki, outer);
        byte[] algorithm = Arrays.copyOfRange(spki, outer, outer + algorithmBytes);
        return tagged(SEQUENCE, joined(PKCS8_VERSION, algorithm, tagged(OCTET_STRING, key)));
    }

    private static int headerBytes(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        return first < 0x80 ? 2 : 2 + (first & 0x7f);
    }

    private static int lengthAt(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = 0; i < (first & 0x7f); i++) {
            length = (length << 8) | (der[at + 2 + i] & 0xff);
        }
        return length;
    }

    private static byte[] tagged(int tag, byte[] content) {
        // Three bytes of length hold any file that is read here; DER's shortest form is not asked for by the JDK's
        // parser
        // of keys, and is kept all the same.
        int size = content.length;
        byte[] head;
        if (size < 0x80) {
            head = new byte[] {(byte) tag, (byte) size};
        } else if (size < 0x100) {
            head = new byte[] {(byte) tag, (byte) 0x81, (byte) size};
        } else if (size < 0x10000) {
            head = new byte[] {(byte) tag, (byte) 0x82, (byte) (size >> 8), (byte) size};
        } else {
            head = new byte[] {(byte) tag, (byte) 0x83, (byte) (size >> 16), (byte) (size >> 8), (byte) size};
        }
        return joined(head, content);
    }

    private static byte[] joined(byte[]... parts) {
        int size = 0;
        for (byte[] part : parts) {
            size += part.length;
        }
        byte[] all = new byte[size];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    private void requireMatch(PrivateKey key, PublicKey certified) {
        byte[] probe = "does this key belong to this certificate".getBytes(StandardCharsets.US_ASCII);
        String algorithm = switch (certified.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> certified.getAlgorithm();
        };
        boolean match;
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(probe);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(probe);
            match = signature.verify(signed);
        } catch (GeneralSecurityException _) {
            match = false;
        }
        if (!match) {
            throw new AccessException(files.key() + ": not the key of the certificate in " + files.certificate(), null);
        }
    }
}
