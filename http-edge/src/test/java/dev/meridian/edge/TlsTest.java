package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.meridian.edge.access.Certificates;
import dev.meridian.edge.access.ServerTls;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

final class TlsTest {
    private static final String STREAM =
            "{\"stream\":true,\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

    @TempDir
    private Path folder;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(ServerTls.class);
    private Certificates.Pair first;
    private Certificates.Pair second;
    private EdgeFixture edge;

    @BeforeEach
    void start() throws IOException {
        first = Certificates.make(folder, "first", "EC", "-groupname", "secp256r1", "-validity", "30");
        second = Certificates.make(folder, "second", "EC", "-groupname", "secp256r1", "-validity", "30");
        Files.copy(first.certificate(), folder.resolve("cert.pem"));
        Files.copy(first.key(), folder.resolve("key.pem"));
        logger.setLevel(Level.INFO);
        log.start();
        logger.addAppender(log);
        edge = new EdgeFixture(
                "meridian.edge { reload-interval = 20ms, tls { certificate = \"" + folder + "/cert.pem\", key = \""
                        + folder + "/key.pem\" } }",
                Instant.now());
    }

    @AfterEach
    void stop() {
        edge.close();
        logger.detachAppender(log);
        logger.setLevel(null);
    }

    private static SSLSocket connect(InetSocketAddress address, String protocol, Certificates.Pair... trusted)
            throws IOException {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (Certificates.Pair pair : trusted) {
                store.setCertificateEntry(
                        pair.parsed().getSubjectX500Principal().getName(), pair.parsed());
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
            socket.setSoTimeout(10_000);
            socket.setEnabledProtocols(new String[] {protocol});
            socket.connect(address);
            socket.startHandshake();
            return socket;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private X509Certificate served() throws IOException {
        try (SSLSocket socket = connect(edge.edge.clientAddress().orElseThrow(), "TLSv1.3", first, second)) {
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    private static void send(SSLSocket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
    }

    private static String readUntil(SSLSocket socket, String text) throws IOException {
        StringBuilder received = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (received.indexOf(text) < 0) {
            int count = socket.getInputStream().read(buffer);
            assertThat(count).as(received.toString()).isPositive();
            received.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
        }
        return received.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void bothPortsSpeakHttps(String protocol) throws IOException {
        for (var address : List.of(
                edge.edge.clientAddress().orElseThrow(),
                edge.edge.adminAddress().orElseThrow())) {
            String path = address.equals(edge.edge.clientAddress().orElseThrow()) ? "/v1/models" : "/health/live";
            try (SSLSocket socket = connect(address, protocol, first)) {
                send(socket, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
                assertThat(readUntil(socket, "}")).startsWith("HTTP/1.1 200 OK");
                assertThat(socket.getApplicationProtocol())
                        .as("HTTP/2 is not offered")
                        .isEmpty();
            }
            try (RawClient plain = new RawClient(address)) {
                plain.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
                assertThat(plain.readUntilCutOff()).doesNotContain("HTTP/1.1 200");
            }
        }
    }

    @Test
    void aClientThatDoesNotKnowTheCertificateDoesNotTrustIt() {
        assertThatThrownBy(() -> connect(edge.edge.clientAddress().orElseThrow(), "TLSv1.3", second)
                        .close())
                .isInstanceOf(SSLHandshakeException.class);
    }

    @Test
    void aNewPairServesNewConnectionsAndOldStreamsGoOn() throws IOException {
        ScriptedReplica replica = new ScriptedReplica((submit, self) -> {
            ScriptedReplica.accept(submit, self, 3);
            ScriptedReplica.batch(submit, self, 1, ScriptedReplica.entry(submit, 0, 0, "one", false));
        });
        var self = edge.serve("atlas", replica);
        try (SSLSocket socket = connect(edge.edge.clientAddress().orElseThrow(), "TLSv1.3", first)) {
            send(
                    socket,
                    "POST " + EdgeFixture.CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            + "Content-Length: " + STREAM.length() + "\r\n\r\n" + STREAM);
            readUntil(socket, "\"content\":\"one\"");
            replace(second.certificate(), "cert.pem");
            await("the half that does not fit was seen", () -> log.list.size() == 1);
            assertThat(log.list.getFirst().getFormattedMessage())
                    .contains("the certificate stays as it was: ")
                    .contains("key.pem: not the key of the certificate in");
            assertThat(served()).isEqualTo(first.parsed());
            replace(second.key(), "key.pem");
            await("the new certificate is served", () -> served().equals(second.parsed()));
            assertThat(log.list).as("each state is said once").hasSize(2);
            Submit submit = replica.expect(Submit.class);
            ScriptedReplica.batch(submit, self, 2, ScriptedReplica.entry(submit, 0, 1, "two", true));
            assertThat(readUntil(socket, "[DONE]")).contains("\"content\":\"two\"");
        }
    }

    @Test
    void aPairOutsideItsTimeIsNotTakenAndSaidOnce() throws IOException {
        Certificates.Pair expired = Certificates.make(folder, "expired", "EC", "-startdate", "-3d", "-validity", "2");
        replace(expired.certificate(), "cert.pem");
        replace(expired.key(), "key.pem");
        await("the expired pair was seen", () -> lastLine().contains("expired at"));
        int lines = log.list.size();
        // A handshake lasts several looks at the files, each of which finds the same, and none says it again.
        assertThat(served()).isEqualTo(first.parsed());
        replace(second.certificate(), "cert.pem");
        await(
                "the half of another pair was seen",
                () -> lastLine().contains("not a EC key") || lastLine().contains("not the key of the certificate"));
        assertThat(log.list).hasSize(lines + 1);
        assertThat(served()).isEqualTo(first.parsed());
        replace(first.certificate(), "cert.pem");
        replace(first.key(), "key.pem");
        replace(second.certificate(), "cert.pem");
        replace(second.key(), "key.pem");
        await("the good pair is served", () -> served().equals(second.parsed()));
    }

    @Test
    void aPairThatIsNotValidYetIsTakenWhenItIs() throws IOException {
        Certificates.Pair later = Certificates.make(folder, "later", "EC", "-startdate", "+1d", "-validity", "30");
        replace(later.certificate(), "cert.pem");
        replace(later.key(), "key.pem");
        await("the pair of tomorrow was seen", () -> lastLine().contains("not valid before"));
        assertThat(served()).isEqualTo(first.parsed());
        edge.nowMillis.addAndGet(Duration.ofDays(2).toMillis());
        await("it is taken", () -> lastLine().contains("certificate read again"));
        try (SSLSocket socket = connect(edge.edge.clientAddress().orElseThrow(), "TLSv1.3", later)) {
            assertThat(socket.getSession().getPeerCertificates()).containsExactly(later.parsed());
        }
    }

    @Test
    void aChainIsServedWholeToWhoTrustsItsRootAlone() throws IOException {
        Certificates.Chain chain = Certificates.chain(folder);
        // The edge's clock stands where it was before these were made.
        edge.nowMillis.addAndGet(Duration.ofMinutes(1).toMillis());
        replace(chain.key(), "key.pem");
        replace(chain.leafAlone(), "cert.pem");
        await("the pair is taken", () -> lastLine().contains("certificate read again"));
        assertThatThrownBy(() -> connect(edge.edge.clientAddress().orElseThrow(), "TLSv1.3", chain.root())
                        .close())
                .as("without the certificate between them the root does not help")
                .isInstanceOf(SSLHandshakeException.class);

        log.list.clear();
        replace(chain.certificates(), "cert.pem");
        await("the chain is taken", () -> lastLine().contains("certificate read again"));
        for (String protocol : List.of("TLSv1.2", "TLSv1.3")) {
            try (SSLSocket socket = connect(edge.edge.clientAddress().orElseThrow(), protocol, chain.root())) {
                assertThat(socket.getSession().getPeerCertificates()).hasSize(2).startsWith(chain.leaf());
            }
        }
    }

    private String lastLine() {
        List<ILoggingEvent> lines = List.copyOf(log.list);
        return lines.isEmpty() ? "" : lines.getLast().getFormattedMessage();
    }

    private void replace(Path source, String name) throws IOException {
        Path fresh = Files.copy(source, folder.resolve("fresh"), StandardCopyOption.REPLACE_EXISTING);
        Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private void await(String what, Condition condition) {
        edge.kit.createTestProbe().awaitAssert(Duration.ofSeconds(10), () -> {
            try {
                assertThat(condition.holds()).as(what).isTrue();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            return null;
        });
    }
}
