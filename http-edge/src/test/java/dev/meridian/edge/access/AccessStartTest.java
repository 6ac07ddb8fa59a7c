package dev.meridian.edge.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an address needs before anything listens there. */
final class AccessStartTest {
    private static final String LOOPBACK = "127.0.0.1";
    private static final String ANY = "0.0.0.0";

    @TempDir
    private Path folder;

    private Access open(String client, String admin, AccessSettings.@Nullable Tls tls) {
        AccessSettings settings = new AccessSettings(
                false, folder.resolve("keys.json"), List.of(), List.of(), Duration.ofSeconds(1), tls);
        return Access.open(settings, client, admin, Instant::now);
    }

    private void keys(ApiKey... keys) {
        Keys.write(folder.resolve("keys.json"), keys);
    }

    private AccessSettings.Tls tls() {
        return Certificates.make(folder, "edge", "EC", "-groupname", "secp256r1", "-validity", "30")
                .files();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.3.2.1", "::1", "localhost"})
    void loopbackNeedsNothing(String host) {
        assertThat(open(host, host, null).tls()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1"})
    void anAddressForOthersNeedsAKeyAndTls(String host) {
        assertThatThrownBy(() -> open(host, LOOPBACK, null))
                .isInstanceOf(AccessException.class)
                .hasMessageContaining("meridian.edge.client-host " + host + " is not a loopback address")
                .hasMessageContaining("needs a key and TLS.")
                .hasMessageContaining("./meridian keys add --name NAME --role client")
                .hasMessageContaining("openssl req -x509");
        assertThatThrownBy(() -> open(LOOPBACK, host, null))
                .hasMessageContaining("meridian.edge.admin-host " + host)
                .hasMessageContaining("--role admin");
    }

    @Test
    void neitherAloneIsEnough() {
        keys(Keys.key("a", "a", Role.ADMIN, List.of(), null));
        assertThatThrownBy(() -> open(ANY, LOOPBACK, null))
                .hasMessageContaining("needs TLS.")
                .hasMessageNotContaining("keys add");
        keys();
        AccessSettings.Tls tls = tls();
        assertThatThrownBy(() -> open(ANY, LOOPBACK, tls))
                .hasMessageContaining("needs a key.")
                .hasMessageNotContaining("openssl");
        keys(Keys.key("old", "old", Role.ADMIN, List.of(), Instant.EPOCH));
        assertThatThrownBy(() -> open(ANY, LOOPBACK, tls)).hasMessageContaining("needs a key.");
        keys(Keys.key("c", "c", Role.CLIENT, List.of(), null));
        assertThatThrownBy(() -> open(ANY, ANY, tls))
                .hasMessageContaining("admin-host")
                .hasMessageContaining("a key.");
        assertThat(open(ANY, LOOPBACK, tls).tls()).isPresent();
        keys(Keys.key("a", "a", Role.ADMIN, List.of(), null));
        assertThat(open(ANY, ANY, tls).tls()).isPresent();
    }
}
