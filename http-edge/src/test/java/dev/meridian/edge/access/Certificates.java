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

/** Self-signed certificates, made by the JDK's keytool as a child process. */
public final class Certificates {
    private static final String PASSWORD = "changeit";

    private Certificates() {}

    /** A certificate for localhost with its key, as PEM files. */
    public record Pair(Path certificate, Path key, X509Certificate parsed, PrivateKey secret) {
        public AccessSettings.Tls files() {
            return new AccessSettings.Tls(certificate, key);
        }
    }

    /** Makes a pair in {@code folder}; {@code options} go to keytool. */
    public static Pair make(Path folder, String name, String algorithm, String... options) {
        try {
            Path store = folder.resolve(name + ".p12");
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
            Process keytool = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve(name + ".log").toFile())
                    .start();
            if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
                keytool.destroyForcibly();
                throw new AssertionError("keytool: " + Files.readString(folder.resolve(name + ".log")));
            }
            KeyStore keys = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(store)) {
                keys.load(in, PASSWORD.toCharArray());
            }
            X509Certificate certificate = (X509Certificate) keys.getCertificate(name);
            PrivateKey key = (PrivateKey) keys.getKey(name, PASSWORD.toCharArray());
            return new Pair(
                    write(folder.resolve(name + ".pem"), "CERTIFICATE", certificate.getEncoded()),
                    write(folder.resolve(name + ".key"), "PRIVATE KEY", key.getEncoded()),
                    certificate,
                    key);
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
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
