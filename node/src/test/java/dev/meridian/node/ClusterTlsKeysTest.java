package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import org.assertj.core.api.AbstractThrowableAssert;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node's files must be when it starts. */
class ClusterTlsKeysTest {
    private static final String HOST = "127.0.0.1";

    @TempDir
    Path folder;

    private final Instant now = Instant.now();
    private NodeFiles files;
    private ClusterTlsSettings settings;

    @BeforeEach
    void make() throws Exception {
        files = new NodeFiles(folder, now);
        settings = files.make("eu-1", now, "meridian", HOST, "eu-1.example");
    }

    private AbstractThrowableAssert<?, ?> assertRefused(String key, Path file) {
        return assertThatThrownBy(() -> ClusterTlsKeys.load(settings, HOST, now))
                .isInstanceOf(ClusterTlsException.class)
                .hasMessageStartingWith("meridian.cluster.tls." + key + ": " + file + ": ");
    }

    @Test
    void filesThatBelongTogetherAreTaken() {
        ClusterTlsKeys keys = ClusterTlsKeys.load(settings, HOST, now);

        assertThat(NodeCertificate.names(keys.certificate())).containsExactly("meridian", HOST, "eu-1.example");
        assertThat(ClusterTlsKeys.load(settings, "EU-1.example", now).certificate())
                .isEqualTo(keys.certificate());
    }

    @Test
    void aMissingFileIsNamed() throws Exception {
        Files.delete(files.file("eu-1-key"));
        assertRefused("private-key", files.file("eu-1-key")).hasMessageContaining("no such file");
        Files.delete(files.file("eu-1"));
        assertRefused("certificate", files.file("eu-1")).hasMessageContaining("no such file");
        Files.delete(files.file("ca"));
        assertRefused("ca", files.file("ca")).hasMessageContaining("no such file");
    }

    @Test
    void aNodeDoesNotStartWithoutThem() throws Exception {
        Path config = Files.writeString(
                folder.resolve("node.conf"),
                "meridian.node.roles = [edge]\nmeridian.cluster.port = 0\n"
                        + String.join(
                                "\n",
                                ClusterTlsSettings.lines(
                                        files.file("ca"),
                                        files.file("eu-1"),
                                        files.file("eu-2-key"),
                                        ClusterTlsSettings.CLUSTER_NAME)));
        StringWriter err = new StringWriter();

        assertThat(Main.commandLine().setErr(new PrintWriter(err)).execute("node", "--config", config.toString()))
                .isEqualTo(1);
        assertThat(err)
                .hasToString("meridian node: meridian.cluster.tls.private-key: " + files.file("eu-2-key")
                        + ": no such file, or it is empty\n");
    }

    @Test
    void aFileThatCannotBeReadIsNamed() throws Exception {
        Files.delete(files.file("eu-1"));
        Files.createDirectory(files.file("eu-1"));

        assertRefused("certificate", files.file("eu-1")).hasMessageContaining("cannot be read");
    }

    @Test
    void aFileOfSomethingElseIsNamed() throws Exception {
        Files.writeString(files.file("ca"), "certainly");
        assertRefused("ca", files.file("ca"));
    }

    @Test
    void aKeyOfAnotherCertificateIsRefused() throws Exception {
        files.make("eu-2", now, "meridian", HOST);
        Files.copy(files.file("eu-2-key"), files.file("eu-1-key"), StandardCopyOption.REPLACE_EXISTING);

        assertRefused("private-key", files.file("eu-1-key"))
                .hasMessageContaining("not the key of the certificate in " + files.file("eu-1"));
    }

    @Test
    void aCertificateThatIsOverIsRefused() throws Exception {
        files.make("eu-1", now.minus(Duration.ofDays(2)), "meridian", HOST);

        assertRefused("certificate", files.file("eu-1")).hasMessageContaining("the certificate expired at ");
    }

    @Test
    void aCertificateThatIsNotValidYetIsRefused() throws Exception {
        files.make("eu-1", now.plus(Duration.ofDays(2)), "meridian", HOST);

        assertRefused("certificate", files.file("eu-1")).hasMessageContaining("the certificate is not valid before ");
    }

    @Test
    void aCaThatIsOverIsRefused() throws Exception {
        new NodeFiles(folder, now.minus(Duration.ofDays(3660)));

        assertRefused("ca", files.file("ca")).hasMessageContaining("the certificate expired at ");
    }

    @Test
    void aCertificateOfAnotherCaIsRefused() throws Exception {
        new NodeFiles(folder, now);

        assertRefused("certificate", files.file("eu-1"))
                .hasMessageContaining(files.file("ca") + " does not vouch for it");
    }

    @Test
    void theOldCaCountsBesideTheNewOne() throws Exception {
        String old = Files.readString(files.file("ca"));
        new NodeFiles(folder, now);
        Files.writeString(files.file("ca"), old + Files.readString(files.file("ca")));

        assertThat(ClusterTlsKeys.load(settings, HOST, now)).isNotNull();
    }

    @Test
    void aNodesCertificateIsNoCa() throws Exception {
        Files.copy(files.file("eu-1"), files.file("ca"), StandardCopyOption.REPLACE_EXISTING);

        assertRefused("ca", files.file("ca")).hasMessageContaining("is no CA's certificate");
    }

    @Test
    void aCertificateOfAServerAloneIsRefused() throws Exception {
        files.restrict("eu-1", KeyPurposeId.id_kp_serverAuth, "meridian", HOST);

        assertRefused("certificate", files.file("eu-1"))
                .hasMessageContaining("does not vouch for it as server and client");
    }

    @Test
    void aCertificateWithoutTheClustersNameIsRefused() throws Exception {
        files.make("eu-1", now, "other", HOST);

        assertRefused("certificate", files.file("eu-1"))
                .hasMessageContaining("[other, 127.0.0.1] and does not name the cluster 'meridian'");
    }

    @Test
    void aCertificateOfAnotherHostIsRefused() throws Exception {
        files.make("eu-1", now, "meridian", "127.0.0.9");

        assertRefused("certificate", files.file("eu-1"))
                .hasMessageContaining("not for meridian.cluster.host 127.0.0.1");
    }

    @Test
    void aKeyThatEverybodyCanReadIsRefused() throws Exception {
        Files.setPosixFilePermissions(files.file("eu-1-key"), PosixFilePermissions.fromString("rw-r--r--"));
        assertRefused("private-key", files.file("eu-1-key")).hasMessageContaining("chmod 600");

        Files.setPosixFilePermissions(files.file("eu-1-key"), PosixFilePermissions.fromString("rw-r-----"));
        assertThat(ClusterTlsKeys.load(settings, HOST, now)).isNotNull();
    }
}
