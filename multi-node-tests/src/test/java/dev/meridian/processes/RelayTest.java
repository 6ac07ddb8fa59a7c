package dev.meridian.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RelayTest {
    private static final int PORT = 7355;
    private static final Duration DELAY = Duration.ofMillis(60);
    private static final int WHILE_CUT_MILLIS = 200;
    /** No cluster of a test is in it. */
    private static final String NETWORK = "127." + (ProcessHandle.current().pid() % 200 + 20) + ".0.";

    private static final Map<String, Relay.Place> PLACES = Map.of(
            "eu-1", new Relay.Place(NETWORK + 1, NETWORK + 101, NETWORK + 201),
            "us-1", new Relay.Place(NETWORK + 2, NETWORK + 102, NETWORK + 202));

    private Relay relay;
    private ServerSocket us;

    @BeforeEach
    void start() throws Exception {
        relay = Relay.open(PLACES, PORT, DELAY, 1, false);
        us = new ServerSocket(PORT, 50, InetAddress.getByName(NETWORK + 102));
        us.setSoTimeout(5_000);
    }

    @AfterEach
    void stop() throws Exception {
        us.close();
        relay.close();
    }

    private static Socket fromEu() throws IOException {
        Socket socket = new Socket(InetAddress.getByName(NETWORK + 2), PORT, InetAddress.getByName(NETWORK + 201), 0);
        socket.setSoTimeout(5_000);
        return socket;
    }

    private Socket accept() throws IOException {
        Socket socket = us.accept();
        socket.setSoTimeout(5_000);
        return socket;
    }

    private static void assertNothingComes(Socket socket) throws IOException {
        socket.setSoTimeout(WHILE_CUT_MILLIS);
        assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
        socket.setSoTimeout(5_000);
    }

    @Test
    void bytesArriveLateEachWayAndAreCounted() throws Exception {
        try (Socket eu = fromEu();
                Socket there = accept()) {
            eu.getOutputStream().write(new byte[3]);
            assertThat(there.getInputStream().readNBytes(3)).hasSize(3);
            long since = System.nanoTime();
            eu.getOutputStream().write(1);
            assertThat(there.getInputStream().read()).isEqualTo(1);
            there.getOutputStream().write(2);
            assertThat(eu.getInputStream().read()).isEqualTo(2);
            assertThat(Duration.ofNanos(System.nanoTime() - since)).isGreaterThanOrEqualTo(DELAY.multipliedBy(2));
            eu.shutdownOutput();
            assertThat(there.getInputStream().read()).isNegative();
            assertThat(relay.bytes("eu", "us")).isEqualTo(4);
            assertThat(relay.bytes("us-1", "eu-1")).isEqualTo(1);
        }
    }

    @Test
    void aCutHoldsBothDirectionsAndTheEndUntilItIsHealed() throws Exception {
        try (Socket eu = fromEu();
                Socket there = accept()) {
            relay.cut("eu", "us");
            eu.getOutputStream().write(1);
            eu.shutdownOutput();
            there.getOutputStream().write(2);
            assertNothingComes(there);
            assertNothingComes(eu);
            relay.heal();
            assertThat(there.getInputStream().read()).isEqualTo(1);
            assertThat(there.getInputStream().read()).isNegative();
            assertThat(eu.getInputStream().read()).isEqualTo(2);
        }
    }

    @Test
    void aCutOneWayDeliversTheOtherWay() throws Exception {
        try (Socket eu = fromEu();
                Socket there = accept()) {
            relay.cutOneWay("eu", "us");
            eu.getOutputStream().write(1);
            there.getOutputStream().write(2);
            assertThat(eu.getInputStream().read()).isEqualTo(2);
            assertNothingComes(there);
            relay.heal();
            assertThat(there.getInputStream().read()).isEqualTo(1);
        }
    }

    @Test
    void whoConnectsDuringACutGetsThroughOnceItIsHealed() throws Exception {
        relay.cut("eu-1", "us-1");
        try (Socket eu = fromEu()) {
            eu.getOutputStream().write(1);
            us.setSoTimeout(WHILE_CUT_MILLIS);
            assertThatThrownBy(() -> us.accept()).isInstanceOf(SocketTimeoutException.class);
            us.setSoTimeout(5_000);
            relay.heal();
            try (Socket there = accept()) {
                assertThat(there.getInputStream().read()).isEqualTo(1);
            }
        }
    }

    @Test
    void whereNobodyListensAConnectionIsReset() throws Exception {
        us.close();
        try (Socket eu = fromEu()) {
            long since = System.nanoTime();
            assertThatThrownBy(() -> eu.getInputStream().read()).isInstanceOf(IOException.class);
            assertThat(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - since))
                    .isLessThan(4);
        }
    }
}
