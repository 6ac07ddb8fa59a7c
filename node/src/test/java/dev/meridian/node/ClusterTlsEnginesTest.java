package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.edge.access.AccessSettings;
import dev.meridian.edge.access.PemPair;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.Option;

/** Handshakes in memory: who is taken for a node of the cluster, and what happens when files change. */
class ClusterTlsEnginesTest {
    private static final int PORT = 7355;
    private static final String EU_1 = "127.0.0.1";
    private static final String EU_2 = "127.0.0.2";

    @TempDir
    Path folder;

    @TempDir
    Path elsewhere;

    private Instant now = Instant.now();
    private NodeFiles files;
    private ClusterTlsEngines eu1;

    @BeforeEach
    void make() throws Exception {
        files = new NodeFiles(folder, now);
        eu1 = engines(files.make("eu-1", now, "meridian", EU_1), EU_1);
    }

    private ClusterTlsEngines engines(ClusterTlsSettings settings, String host) {
        return new ClusterTlsEngines(settings, host, () -> now);
    }

    /** What the server has seen of the client, once both ends have verified each other. */
    private static X509Certificate connect(ClusterTlsEngines from, ClusterTlsEngines to, String host) throws Exception {
        SSLEngine client = from.createClientSSLEngine(host, PORT);
        SSLEngine server = to.createServerSSLEngine(host, PORT);
        shakeHands(client, server);
        for (var fault : new Option<?>[] {
            from.verifyClientSession(host, client.getSession()), to.verifyServerSession(host, server.getSession())
        }) {
            if (fault.isDefined()) {
                throw (Exception) fault.get();
            }
        }
        assertThat(server.getSession().getProtocol()).isEqualTo("TLSv1.3");
        return (X509Certificate) server.getSession().getPeerCertificates()[0];
    }

    private static void shakeHands(SSLEngine client, SSLEngine server) throws SSLException {
        ByteBuffer toServer = ByteBuffer.allocate(1 << 16);
        ByteBuffer toClient = ByteBuffer.allocate(1 << 16);
        for (int turn = 0; turn < 50; turn++) {
            step(client, toClient, toServer);
            step(server, toServer, toClient);
            if (isDone(client) && isDone(server) && toServer.position() == 0 && toClient.position() == 0) {
                return;
            }
        }
        throw new AssertionError(client.getHandshakeStatus() + " and " + server.getHandshakeStatus());
    }

    private static boolean isDone(SSLEngine engine) {
        return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING;
    }

    private static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        ByteBuffer nothing = ByteBuffer.allocate(0);
        ByteBuffer plain = ByteBuffer.allocate(1 << 16);
        if (in.position() > 0) {
            in.flip();
            while (in.hasRemaining()) {
                int before = in.remaining();
                engine.unwrap(in, plain);
                runTasks(engine);
                if (in.remaining() == before) {
                    break;
                }
            }
            in.compact();
        }
        do {
            engine.wrap(nothing, out);
            runTasks(engine);
        } while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP);
    }

    private static void runTasks(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    @Test
    void nodesOfOneClusterTakeEachOther() throws Exception {
        ClusterTlsEngines eu2 = engines(files.make("eu-2", now, "meridian", EU_2), EU_2);

        assertThat(connect(eu1, eu2, EU_2).getSubjectX500Principal().getName()).isEqualTo("CN=eu-1");
        assertThat(connect(eu2, eu1, EU_1).getSubjectX500Principal().getName()).isEqualTo("CN=eu-2");
    }

    @Test
    void aNodeOfAForeignCaIsRefusedByEitherEnd() throws Exception {
        ClusterTlsEngines foreign = engines(new NodeFiles(elsewhere, now).make("eu-2", now, "meridian", EU_2), EU_2);

        assertThatThrownBy(() -> connect(eu1, foreign, EU_2)).isInstanceOf(SSLHandshakeException.class);
        assertThatThrownBy(() -> connect(foreign, eu1, EU_1)).isInstanceOf(SSLHandshakeException.class);
    }

    @Test
    void aClientWithoutACertificateIsRefused() throws Exception {
        var anonymous = SSLContext.getInstance("TLS");
        anonymous.init(null, new TrustManager[] {new TrustsAll()}, null);
        SSLEngine client = anonymous.createSSLEngine(EU_1, PORT);
        client.setUseClientMode(true);

        assertThatThrownBy(() -> shakeHands(client, eu1.createServerSSLEngine(EU_1, PORT)))
                .isInstanceOf(SSLHandshakeException.class);
    }

    @Test
    void aNodeOfAnotherClusterOfTheSameCaIsRefusedByEitherEnd() throws Exception {
        ClusterTlsSettings made = files.make("eu-2", now, "other", EU_2);
        ClusterTlsEngines other = engines(
                new ClusterTlsSettings(
                        made.ca(), made.certificate(), made.privateKey(), "other", made.reloadInterval()),
                EU_2);

        assertThatThrownBy(() -> connect(eu1, other, EU_2))
                .isInstanceOf(SSLPeerUnverifiedException.class)
                .hasMessageContaining("[other, 127.0.0.2] and does not name the cluster 'meridian'");
        assertThatThrownBy(() -> connect(other, eu1, EU_1)).isInstanceOf(SSLPeerUnverifiedException.class);
        SSLEngine client = other.createClientSSLEngine(EU_1, PORT);
        SSLEngine server = eu1.createServerSSLEngine(EU_1, PORT);
        shakeHands(client, server);
        assertThat(eu1.verifyServerSession(EU_1, server.getSession()).isDefined())
                .isTrue();
    }

    @Test
    void anHttpsCertificateOfTheSameCaAndHostIsRefusedByEitherEnd() throws Exception {
        files.make("eu-2", now, "meridian", EU_2);
        files.restrict("eu-2", KeyPurposeId.id_kp_serverAuth, EU_2, EU_1);
        var keys = PemPair.read(new AccessSettings.Tls(files.file("eu-2"), files.file("eu-2-key")));
        var context = keys.toContext(now, new TrustManager[] {new TrustsAll()});
        SSLEngine client = context.createSSLEngine(EU_1, PORT);
        client.setUseClientMode(true);
        assertThatThrownBy(() -> shakeHands(client, eu1.createServerSSLEngine(EU_1, PORT)))
                .isInstanceOf(SSLHandshakeException.class);

        SSLEngine server = context.createSSLEngine();
        server.setUseClientMode(false);
        SSLEngine node = eu1.createClientSSLEngine(EU_2, PORT);
        shakeHands(node, server);
        assertThat(eu1.verifyClientSession(EU_2, node.getSession()).get())
                .isInstanceOf(SSLPeerUnverifiedException.class);
    }

    @Test
    void aCertificateOfAnotherHostIsRefusedByWhoeverConnects() throws Exception {
        ClusterTlsEngines eu2 = engines(files.make("eu-2", now, "meridian", EU_2), EU_2);

        assertThatThrownBy(() -> connect(eu1, eu2, "127.0.0.3"))
                .isInstanceOf(SSLHandshakeException.class)
                .hasMessageContaining("127.0.0.3");
    }

    @Test
    void renewedFilesAreTakenOnceTheIntervalIsOver() throws Exception {
        ClusterTlsEngines eu2 = engines(files.make("eu-2", now, "meridian", EU_2), EU_2);
        X509Certificate before = connect(eu1, eu2, EU_2);
        files.make("eu-1", now, "meridian", EU_1);

        assertThat(connect(eu1, eu2, EU_2)).isEqualTo(before);
        now = now.plus(Duration.ofMinutes(1));
        assertThat(connect(eu1, eu2, EU_2)).isNotEqualTo(before);
    }

    @Test
    void filesThatDoNotBelongTogetherLeaveItAsItWas() throws Exception {
        ClusterTlsEngines eu2 = engines(files.make("eu-2", now, "meridian", EU_2), EU_2);
        X509Certificate before = connect(eu1, eu2, EU_2);
        String key = Files.readString(files.file("eu-1-key"));
        files.make("eu-1", now, "meridian", EU_1);
        String fresh = Files.readString(files.file("eu-1-key"));
        Files.writeString(files.file("eu-1-key"), key);

        now = now.plus(Duration.ofMinutes(1));
        assertThat(connect(eu1, eu2, EU_2)).isEqualTo(before);
        Files.writeString(files.file("eu-1-key"), fresh);
        now = now.plus(Duration.ofMinutes(1));
        assertThat(connect(eu1, eu2, EU_2)).isNotEqualTo(before);
    }

    /** What somebody who attacks would not ask for. */
    private static final class TrustsAll extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
