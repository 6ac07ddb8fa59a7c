package dev.meridian.edge.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OriginCheckTest {
    private static final OriginCheck CHECK =
            new OriginCheck(List.of("http://localhost:*", "http://[::1]:*", "https://app.example"));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://localhost",
                "http://localhost:3000",
                "HTTP://LOCALHOST:3000",
                "http://[::1]:80",
                "https://app.example"
            })
    void namedOriginsPass(String origin) {
        assertThat(CHECK.allows(origin)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "https://localhost:3000",
                "http://localhost.evil.example",
                "http://localhost:3000.evil.example",
                "http://localhost:80@evil.example",
                "http://localhost:",
                "http://localhost:123456",
                "http://localhost:3000/",
                "http://evil.example",
                "https://app.example:8443",
                "https://app.example.evil",
                "http://app.example"
            })
    void othersDoNot(String origin) {
        assertThat(CHECK.allows(origin)).isFalse();
    }

    @Test
    void allAndNoneCanBeSaid() {
        assertThat(new OriginCheck(List.of("*")).allows("null")).isTrue();
        assertThat(new OriginCheck(List.of()).allows("http://localhost:1")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"localhost", "http://", "http://*", "http://a.example/", "http://a:b", "http://*.example", ""})
    void whatIsNoOriginIsNamed(String pattern) {
        assertThatThrownBy(() -> new OriginCheck(List.of(pattern)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cors-origins '" + pattern + "'");
    }
}
