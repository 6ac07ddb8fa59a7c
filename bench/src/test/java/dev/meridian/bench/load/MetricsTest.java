package dev.meridian.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

final class MetricsTest {
    private static final String TEXT = """
            # HELP jvm_memory_used_bytes The amount of used memory
            # TYPE jvm_memory_used_bytes gauge
            jvm_memory_used_bytes{area="heap",id="G1 Eden Space"} 1.0E7
            jvm_memory_used_bytes{area="heap",id="G1 Old Gen"} 5000.0
            jvm_memory_used_bytes{area="nonheap",id="Metaspace"} 7.0
            jvm_memory_used_bytes_other 1.0
            process_files_open_files 63.0
            """;

    @Test
    void seriesOfAMeterAreSummedByTheirLabels() throws IOException {
        Metrics metrics = Metrics.parse(TEXT);

        assertThat(metrics.sum("jvm_memory_used_bytes", "area=\"heap\"")).isEqualTo(10_005_000);
        assertThat(metrics.sum("jvm_memory_used_bytes")).isEqualTo(10_005_007);
        assertThat(metrics.sum("process_files_open_files")).isEqualTo(63);
        assertThat(metrics.sum("process_threads")).isNaN();
    }

    @Test
    void aLineThatIsNoneIsQuoted() {
        assertThatThrownBy(() -> Metrics.parse("process_files_open_files many\n"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("process_files_open_files many");
    }
}
