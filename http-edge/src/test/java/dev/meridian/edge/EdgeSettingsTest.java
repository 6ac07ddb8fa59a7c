package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.meridian.edge.access.AccessSettings;
import dev.meridian.edge.stream.StreamSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EdgeSettingsTest {
    private static final Config REFERENCE =
            ConfigFactory.parseResources("reference.conf").resolve();

    @Test
    void defaultsAreThoseOfReferenceConf() {
        assertThat(EdgeSettings.of(REFERENCE))
                .isEqualTo(new EdgeSettings(
                        "127.0.0.1",
                        8080,
                        "127.0.0.1",
                        OptionalInt.of(8081),
                        new AccessSettings(
                                false,
                                Path.of(".meridian/keys.json"),
                                List.of(),
                                List.of(
                                        "http://localhost:*",
                                        "https://localhost:*",
                                        "http://127.0.0.1:*",
                                        "https://127.0.0.1:*",
                                        "http://[::1]:*",
                                        "https://[::1]:*"),
                                Duration.ofSeconds(1),
                                null),
                        1_048_576,
                        Duration.ofSeconds(30),
                        1024,
                        4096,
                        131_072,
                        Duration.ofSeconds(75),
                        Duration.ofMinutes(10),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(1),
                        Duration.ofMinutes(2),
                        new StreamSettings(
                                Duration.ofMillis(100),
                                Duration.ofMillis(500),
                                Duration.ofMillis(500),
                                Duration.ofSeconds(10),
                                16,
                                8,
                                Duration.ofSeconds(30),
                                500,
                                2048,
                                Runtime.getRuntime().maxMemory() / 4,
                                Runtime.getRuntime().maxMemory() / 16,
                                Duration.ofSeconds(60))));
    }

    @Test
    void everyKeyOfReferenceConfIsReadAndEachHasAComment() {
        for (var entry : REFERENCE.getConfig("meridian.edge").root().entrySet()) {
            assertThat(entry.getValue().origin().comments()).as(entry.getKey()).isNotEmpty();
            Config without = REFERENCE.withoutPath("meridian.edge." + entry.getKey());
            assertThatThrownBy(() -> EdgeSettings.of(without))
                    .isInstanceOf(ConfigException.Missing.class)
                    .hasMessageContaining(entry.getKey());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "client-port = 65536",
                "auth = never",
                "cors-origins = [\"https://app.example/path\"]",
                "tls.key = key.pem",
                "reload-interval = 0s",
                "admin-port = -1",
                "max-messages = 0",
                "comment-interval = 0s",
                "max-streams = 0",
                "send-buffer = 0",
                "reader-stall = 0s",
                "max-journal-bytes = 0",
                "max-journal-bytes = 1000, meridian.edge.max-stream-journal-bytes = 1001",
                "accept-timeout = 0s"
            })
    void valuesOutOfRangeAreRefused(String line) {
        Config config = ConfigFactory.parseString("meridian.edge." + line).withFallback(REFERENCE);
        assertThatThrownBy(() -> EdgeSettings.of(config))
                .isInstanceOfAny(IllegalArgumentException.class, ConfigException.BadValue.class);
    }
}
