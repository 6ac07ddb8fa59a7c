package dev.meridian.edge.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PemPairTest {
    @TempDir
    private static Path folder;

    private static Certificates.Pair ec;
    private static Certificates.Pair rsa;

    @BeforeAll
    static void make() {
        ec = Certificates.make(folder, "ec", "EC", "-groupname", "secp256r1", "-validity", "30");
        rsa = Certificates.make(folder, "rsa", "RSA", "-keysize", "2048", "-validity", "30");
    }

    private static void loads(Path certificate, Path key) {
        AccessSettings.Tls files = new AccessSettings.Tls(certificate, key);
        assertThat(PemPair.read(files).toContext(Instant.now(), null).getProtocol())
                .isEqualTo("TLS");
    }

    @Test
    void keysOfEveryFormAreRead() throws IOException {
        loads(ec.certificate(), ec.key());
        loads(rsa.certificate(), rsa.key());
        byte[] sec1 = Certificates.unwrap(ec.secret().getEncoded());
        loads(ec.certificate(), Certificates.write(folder.resolve("sec1"), "EC PRIVATE KEY", sec1));
        byte[] pkcs1 = Certificates.unwrap(rsa.secret().getEncoded());
        loads(rsa.certificate(), Certificates.write(folder.resolve("pkcs1"), "RSA PRIVATE KEY", pkcs1));
    }

    @Test
    void edwardsKeysAreReadAndChainsThatAreNoneRefused() throws IOException {
        Certificates.Pair ed = Certificates.make(folder, "ed", "Ed25519", "-validity", "30");
        Path chain = Files.writeString(
                folder.resolve("chain.pem"), Files.readString(ed.certificate()) + Files.readString(rsa.certificate()));
        loads(ed.certificate(), ed.key());
        assertThatThrownBy(() -> loads(chain, ed.key()))
                .isInstanceOf(AccessException.class)
                .hasMessageContaining("chain.pem: cannot be used for TLS");
    }

    @ParameterizedTest
    @CsvSource({
        "nope.pem, ec.key, 'nope.pem: no such file'",
        "ec.pem, nope.key, 'nope.key: no such file'",
        "ec.pem, rsa.key, 'rsa.key: not a EC key'",
        "ec.key, ec.key, 'ec.key: n'",
        "ec.pem, ec.pem, 'ec.pem: no private key in PEM in it'",
        "ec.pem, locked.key, 'locked.key: the key has a password'",
        "ec.pem, torn.key, 'torn.key: n'"
    })
    void aFaultNamesItsFile(String certificate, String key, String message) throws IOException {
        Certificates.write(folder.resolve("locked.key"), "ENCRYPTED PRIVATE KEY", new byte[] {1});
        Files.writeString(folder.resolve("torn.key"), Files.readString(ec.key()).substring(0, 80));
        AccessSettings.Tls files = new AccessSettings.Tls(folder.resolve(certificate), folder.resolve(key));

        assertThatThrownBy(() -> PemPair.read(files).toContext(Instant.now(), null))
                .isInstanceOf(AccessException.class)
                .hasMessageContaining(folder + "/" + message);
    }

    @Test
    void aKeyOfAnotherCertificateOfItsKindIsRefused() {
        Certificates.Pair other = Certificates.make(folder, "ec2", "EC", "-groupname", "secp256r1", "-validity", "30");
        AccessSettings.Tls files = new AccessSettings.Tls(ec.certificate(), other.key());

        assertThatThrownBy(() -> PemPair.read(files).toContext(Instant.now(), null))
                .hasMessageContaining("ec2.key: not the key of the certificate in")
                .hasMessageContaining("ec.pem");
    }

    @Test
    void aCertificateOutsideItsTimeIsRefused() {
        Instant after = ec.parsed().getNotAfter().toInstant();
        Instant before = ec.parsed().getNotBefore().toInstant();

        assertThatThrownBy(() -> PemPair.read(ec.files()).toContext(after.plusSeconds(1), null))
                .hasMessageContaining("ec.pem: the certificate expired at " + after);
        assertThatThrownBy(() -> PemPair.read(ec.files()).toContext(before.minusSeconds(1), null))
                .hasMessageContaining("ec.pem: the certificate is not valid before " + before);
    }
}
