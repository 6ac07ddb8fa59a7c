package dev.meridian.edge.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HostCheckTest {
    private static final HostCheck CHECK = new HostCheck(List.of("meridian.lan", "[2001:db8::7]"));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "LOCALHOST",
                "localhost.",
                "app.localhost",
                "127.0.0.1",
                "127.255.3.2",
                "::1",
                "[::1]",
                "0:0:0:0:0:0:0:1",
                "meridian.lan",
                "Meridian.LAN.",
                "2001:db8::7"
            })
    void loopbackAndNamedHostsPass(String host) {
        assertThat(CHECK.allows(host)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "evil.example",
                "localhost.evil.example",
                "evillocalhost",
                "127.0.0.1.evil.example",
                "127.0.0.1.nip.io",
                "128.0.0.1",
                "0.0.0.0",
                "192.168.1.1",
                "10.127.0.1",
                "::",
                "::2",
                "[::1",
                "2001:db8::8",
                "sub.meridian.lan",
                "dead.beef",
                "localhost@evil.example",
                "localhost\u0000"
            })
    void everyOtherHostIsRefused(String host) {
        assertThat(CHECK.allows(host)).isFalse();
    }
}
