package dev.meridian.edge.access;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Certificates, self-signed or of a chain, made by the JDK's keytool as a child process. */
public final class Certificates {
    private static final String PASSWORD = "changeit";

    private Certificates() {}

    /** A certificate for localhost with its key, as PEM files. */
    public record Pair(Path certificate, Path key, X509Certificate parsed, PrivateKey secret) {
        public AccessSettings.Tls files() {
            return new AccessSettings.Tls(certificate, key);
        }
    }

    /** A pair whose certificate was signed by another one's. */
    public record Chain(Path certificates, Path leafAlone, Path key, X509Certificate leaf, Pair root) {}

    /** Makes a pair in {@code folder}; {@code options} go to keytool. */
    public static Pair make(Path folder, String name, String algorithm, String... options) {
        try {
            Path store = folder.resolve(name + ".p12");
            generate(store, name, algorithm, options);
            KeyStore keys = load(store);
            X509Certificate certificate = (X509Certificate) keys.getCertificate(name);
            PrivateKey key = (PrivateKey) keys.getKey(name, PASSWORD.toCharArray());
            return new Pair(
                    write(folder.resolve(name + ".pem"), "CERTIFICATE", certificate.getEncoded()),
                    write(folder.resolve(name + ".key"), "PRIVATE KEY", key.getEncoded()),
                    certificate,
                    key);
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** A root that signs an intermediate certificate, which signs the one for localhost; the file holds the last two. */
    public static Chain chain(Path folder) {
        try {
            Path store = folder.resolve("chain.p12");
            generate(store, "root", "EC", "-ext", "bc:c");
            generate(store, "middle", "EC", "-signer", "root", "-ext", "bc:c");
            generate(store, "leaf", "EC", "-signer", "middle");
            KeyStore keys = load(store);
            X509Certificate root = (X509Certificate) keys.getCertificate("root");
            X509Certificate leaf = (X509Certificate) keys.getCertificate("leaf");
            PrivateKey key = (PrivateKey) keys.getKey("leaf", PASSWORD.toCharArray());
            Path alone = write(folder.resolve("leaf.pem"), "CERTIFICATE", leaf.getEncoded());
            Path middle = write(
                    folder.resolve("middle.pem"),
                    "CERTIFICATE",
                    keys.getCertificate("middle").getEncoded());
            Path both =
                    Files.writeString(folder.resolve("chain.pem"), Files.readString(alone) + Files.readString(middle));
            Path leafKey = write(folder.resolve("leaf.key"), "PRIVATE KEY", key.getEncoded());
            return new Chain(both, alone, leafKey, leaf, new Pair(both, leafKey, root, key));
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static KeyStore load(Path store) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        return keys;
    }

    private static void generate(Path store, String name, String algorithm, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                algorithm,
                "-dname",
                "CN=" + name,
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-keystore",
                store.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD));
        command.addAll(Arrays.asList(options));
        Path log = store.resolveSibling(name + ".log");
        Process keytool = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
                keytool.destroyForcibly();
                throw new AssertionError("keytool: " + Files.readString(log));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    static Path write(Path file, String label, byte[] der) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(
                file,
                "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n",
                StandardCharsets.US_ASCII);
    }

    /** What PKCS#8 wraps: the last element of its sequence of three, an octet string. */
    static byte[] unwrap(byte[] pkcs8) {
        int at = afterHeader(pkcs8, 0);
        for (int skipped = 0; skipped < 2; skipped++) {
            at = afterHeader(pkcs8, at) + length(pkcs8, at);
        }
        int start = afterHeader(pkcs8, at);
        return Arrays.copyOfRange(pkcs8, start, start + length(pkcs8, at));
    }

    private static int afterHeader(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        return at + (first < 0x80 ? 2 : 2 + (first & 0x7f));
    }

    private static int length(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        int length = first < 0x80 ? first : 0;
        for (int i = 0; first >= 0x80 && i < (first & 0x7f); i++) {
            length = (length << 8) | (der[at + 2 + i] & 0xff);
        }
        return length;
    }
}
