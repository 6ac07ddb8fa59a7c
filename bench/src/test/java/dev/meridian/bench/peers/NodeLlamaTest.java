package dev.meridian.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeLlamaTest {
    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, linux-x64",
        "Linux, aarch64, linux-arm64",
        "Mac OS X, aarch64, mac-arm64-metal",
        "Mac OS X, x86_64, mac-x64",
        "Linux, riscv64, none",
        "FreeBSD, amd64, none"
    })
    void thePackageIsNamedAfterTheMachine(String system, String processor, String name) {
        assertThat(NodeLlama.platform(system, processor).orElse("none")).isEqualTo(name);
    }
}
