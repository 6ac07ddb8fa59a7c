package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NodeSettingsTest {
    @Test
    void defaultsAreThoseOfReferenceConf() {
        NodeSettings settings = NodeSettings.load(null, Map.of());

        assertThat(settings.stopDelay()).isZero();
        assertThat(settings.stopGrace()).isEqualTo(Duration.ofSeconds(30));
        assertThat(settings.edge().clientPort()).isEqualTo(8080);
        assertThat(settings.root().getString("pekko.actor.allow-java-serialization"))
                .isEqualTo("off");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.3.2.1", "::1", "localhost"})
    void everyLoopbackAddressMayBeBound(String host) {
        NodeSettings settings =
                NodeSettings.load(null, Map.of("meridian.edge.client-host", host, "meridian.edge.admin-host", host));

        assertThat(settings.edge().clientHost()).isEqualTo(host);
    }

    @ParameterizedTest
    @CsvSource({
        "client-host, 0.0.0.0",
        "admin-host, 0.0.0.0",
        "client-host, '::'",
        "client-host, 192.0.2.1",
        "admin-host, '2001:db8::1'"
    })
    void whatOthersCouldReachIsRefusedWithoutKeys(String key, String host) {
        assertThatThrownBy(() -> NodeSettings.load(null, Map.of("meridian.edge." + key, host)))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("meridian.edge." + key + " " + host + " is not a loopback address")
                .hasMessageContaining("no keys and no TLS yet");
    }

    @Test
    void aNegativeTimeForStoppingIsRefused() {
        assertThatThrownBy(() -> NodeSettings.load(null, Map.of("meridian.node.stop-delay", "-1s")))
                .isInstanceOf(CommandFailed.class)
                .hasMessageContaining("stop-delay");
    }

    @Test
    void stoppingSaysHowLongStreamsMayTake() {
        assertThat(UpCommand.stopping(Duration.ofMillis(90_500)))
                .isEqualTo(
                        "Stopping ... (streams that run have up to 1m30.5s to end; a second Ctrl-C ends them at once)");
    }
}
