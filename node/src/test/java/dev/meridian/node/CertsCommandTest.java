package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.access.PemCertificates;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

final class CertsCommandTest {
    private static final String SERVER = "1.3.6.1.5.5.7.3.1";
    private static final String CLIENT = "1.3.6.1.5.5.7.3.2";

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine =
            Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));

    private int run(String line) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        List<String> arguments = new ArrayList<>(
                List.of("certs", "--out", folder.resolve("certs").toString()));
        if (!line.isEmpty()) {
            arguments.addAll(List.of(line.split(" ", -1)));
        }
        return commandLine.execute(arguments.toArray(String[]::new));
    }

    private void make(String line) {
        assertThat(run(line)).as(err.toString()).isZero();
    }

    private Path file(String name) {
        return folder.resolve("certs").resolve(name);
    }

    private X509Certificate certificate(String name) {
        return PemCertificates.read(file(name)).getFirst();
    }

    private Map<String, String> contents() throws IOException {
        Map<String, String> contents = new TreeMap<>();
        if (Files.exists(folder.resolve("certs"))) {
            try (Stream<Path> files = Files.list(folder.resolve("certs"))) {
                for (Path file : files.toList()) {
                    contents.put(file.getFileName().toString(), Files.readString(file));
                }
            }
        }
        return contents;
    }

    @Test
    void aCaAndTwoNodesAreMade() throws Exception {
        make("eu-1=10.0.0.1,eu-1.example,fd00::1 eu-2");

        assertThat(contents().keySet())
                .containsExactly("ca-key.pem", "ca.pem", "eu-1-key.pem", "eu-1.pem", "eu-2-key.pem", "eu-2.pem");
        X509Certificate ca = certificate("ca.pem");
        assertThat(ca.getBasicConstraints()).isZero();
        assertThat(ca.getKeyUsage()[5]).as("signs certificates").isTrue();
        assertThat(ca.getKeyUsage()[0]).as("signs anything else").isFalse();
        X509Certificate eu1 = certificate("eu-1.pem");
        eu1.verify(ca.getPublicKey());
        assertThat(eu1.getBasicConstraints()).isEqualTo(-1);
        assertThat(eu1.getExtendedKeyUsage()).containsExactlyInAnyOrder(SERVER, CLIENT);
        assertThat(NodeCertificate.names(eu1))
                .containsExactly("meridian", "10.0.0.1", "eu-1.example", "fd00:0:0:0:0:0:0:1");
        assertThat(NodeCertificate.names(certificate("eu-2.pem")))
                .containsExactly("meridian", "127.0.0.1", "0:0:0:0:0:0:0:1", "localhost");
        assertThat(((ECPublicKey) eu1.getPublicKey()).getParams().getOrder().bitLength())
                .isEqualTo(256);
        assertThat(eu1.getSerialNumber()).isNotEqualTo(certificate("eu-2.pem").getSerialNumber());
    }

    @Test
    void certificatesAreValidForAsLongAsAsked() {
        make("eu-1");
        make("--days 7 eu-2");

        assertThat(validFor("eu-1.pem")).isBetween(Duration.ofDays(396), Duration.ofDays(397));
        assertThat(validFor("eu-2.pem")).isBetween(Duration.ofDays(6), Duration.ofDays(7));
        assertThat(validFor("ca.pem")).isBetween(Duration.ofDays(3649), Duration.ofDays(3650));
        assertThat(certificate("eu-1.pem").getNotBefore().toInstant()).isBefore(Instant.now());
    }

    private Duration validFor(String name) {
        return Duration.between(Instant.now(), certificate(name).getNotAfter().toInstant());
    }

    @Test
    void keysAreTheirOwnersAlone() throws Exception {
        make("eu-1");

        for (String name : List.of("ca-key.pem", "eu-1-key.pem")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file(name))))
                    .as(name)
                    .isEqualTo("rw-------");
        }
        assertThat(out.toString() + err).doesNotContain("PRIVATE KEY");
    }

    @Test
    void whatItPrintsIsAConfigurationThatANodeTakes() throws Exception {
        make("--cluster blue eu-1=192.0.2.1");
        String printed = out.toString();
        Path config = Files.writeString(
                folder.resolve("node.conf"),
                printed.substring(printed.indexOf("meridian.cluster.tls {"))
                        + "\nmeridian.cluster.host = \"192.0.2.1\"\nmeridian.node.id = eu-1\n");

        ClusterSettings cluster = NodeSettings.load(config, Map.of()).cluster();
        assertThat(ClusterTlsKeys.load(Objects.requireNonNull(cluster.tls()), cluster.host(), Instant.now())
                        .certificate())
                .isEqualTo(certificate("eu-1.pem"));
    }

    @Test
    void filesThatAreThereAreLeftAsTheyAre() throws Exception {
        make("eu-1");
        Map<String, String> before = contents();

        assertThat(run("eu-2 eu-1")).isEqualTo(1);
        assertThat(err.toString()).contains(file("eu-1.pem") + ": exists already", "--renew");
        assertThat(contents()).isEqualTo(before);
        Files.delete(file("eu-1.pem"));
        assertThat(run("eu-1")).isEqualTo(1);
        assertThat(err.toString()).contains(file("eu-1-key.pem") + ": exists already");
    }

    @Test
    void aNodeIsRenewedWithItsHostsAndTheCaStays() throws Exception {
        make("--cluster blue eu-1=10.0.0.1,eu-1.example eu-2");
        Map<String, String> before = contents();
        make("--renew eu-1");
        Map<String, String> after = contents();

        assertThat(NodeCertificate.names(certificate("eu-1.pem"))).containsExactly("blue", "10.0.0.1", "eu-1.example");
        assertThat(after.get("eu-1.pem")).isNotEqualTo(before.get("eu-1.pem"));
        assertThat(after.get("eu-1-key.pem")).isNotEqualTo(before.get("eu-1-key.pem"));
        for (String name : List.of("ca.pem", "ca-key.pem", "eu-2.pem", "eu-2-key.pem")) {
            assertThat(after).as(name).containsEntry(name, before.get(name));
        }
        make("--renew --cluster green eu-1=10.0.0.2");
        assertThat(NodeCertificate.names(certificate("eu-1.pem"))).containsExactly("green", "10.0.0.2");
    }

    @Test
    void aCaWithoutItsKeyMakesNothing() throws Exception {
        make("eu-1");
        Files.delete(file("ca-key.pem"));
        Map<String, String> before = contents();

        assertThat(run("eu-2")).isEqualTo(1);
        assertThat(err.toString()).contains(file("ca-key.pem") + ": no such file");
        assertThat(contents()).isEqualTo(before);
    }

    @Test
    void noNodeOutlivesItsCa() throws Exception {
        make("eu-1");

        assertThat(run("--days 1825 eu-2")).isZero();
        new NodeFiles(folder.resolve("certs"), Instant.now().minus(Duration.ofDays(3000)));
        assertThat(run("--days 700 eu-3")).isEqualTo(1);
        assertThat(err.toString()).contains("ca.pem: the CA ends at ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "\"\" | NODE",
                "Eu_1 | 'Eu_1' is no node's id",
                "../eu | '../eu' is no node's id",
                "=10.0.0.1 | '' is no node's id",
                "ca | cannot be named 'ca'",
                "eu-key | cannot be named 'eu-key'",
                "eu-1 eu-1 | eu-1 is named twice",
                "eu-1= | '' in eu-1= is neither",
                "eu-1=a_b | 'a_b' in eu-1=a_b is neither",
                "eu-1=10.0.1 | '10.0.1' in eu-1=10.0.1 is neither",
                "eu-1=*.example | '*.example' in",
                "eu-1=fe80::1%lo | 'fe80::1%lo' in",
                "--days 0 eu-1 | --days 0",
                "--days 1826 eu-1 | --days 1826",
                "--cluster A eu-1 | --cluster A"
            })
    void whatCannotBeIsNamed(String line, String message) throws Exception {
        assertThat(run(line)).isEqualTo(2);
        assertThat(err.toString()).contains(message).doesNotContain("internal error");
        assertThat(contents()).isEmpty();
    }
}
