package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

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
