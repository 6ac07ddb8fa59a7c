package dev.meridian.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.bench.MeasurementFailed;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildContenderTest {
    @TempDir
    private Path folder;

    private ChildContender child(String script) {
        return ChildContender.start("peer", 10, List.of("sh", "-c", script), folder);
    }

    @Test
    void aTaskIsALineAndItsFigureComesFromTheMilliseconds() throws IOException {
        try (ChildContender child = child("echo loading; echo = 0; while read task n; do echo \"= ${n%% *}\"; done")) {
            assertThat(child.run(Task.PREFILL_512)).isEqualTo(1e3);
            assertThat(child.run(Task.FIRST_128)).isEqualTo(128);
        }
    }

    @Test
    void aTaskThatFailsIsNamed() {
        try (ChildContender child = child("echo = 0; while read task; do echo '! no such sequence'; done")) {
            assertThatThrownBy(() -> child.run(Task.LOAD))
                    .isInstanceOf(MeasurementFailed.class)
                    .hasMessage("peer was asked load: no such sequence");
        }
    }

    @Test
    void aProcessThatEndsIsReportedWithWhatItSaid() {
        assertThatThrownBy(() -> child("echo Cannot find package; exit 1"))
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageContaining("peer was asked to load and ended")
                .hasMessageContaining("Cannot find package");
    }
}
