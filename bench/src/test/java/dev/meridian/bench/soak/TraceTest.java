package dev.meridian.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.meridian.bench.MeasurementFailed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TraceTest {
    @TempDir
    private Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("trace.csv"), text);
    }

    @Test
    void timesAreRelativeToTheFirstRequest() throws IOException {
        Trace trace = Trace.read(file("""
                TIMESTAMP,ContextTokens,GeneratedTokens
                2023-11-16 18:15:46.6805900,374,44
                2023-11-16 18:15:50.9951690,396,109

                2023-11-16 18:15:50.9951690,879,55
                """));

        assertThat(trace.arrivals())
                .containsExactly(
                        new Trace.Arrival(0, 374, 44),
                        new Trace.Arrival(4_314_579_000L, 396, 109),
                        new Trace.Arrival(4_314_579_000L, 879, 55));
        assertThat(trace.rate()).isCloseTo(2 / 4.314579, within(1e-9));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            2023-11-16 18:15:46,374              | 2 fields instead of 3
            2023-11-16 18:15:46,374,44,1         | 4 fields instead of 3
            yesterday,374,44                     | yesterday
            2023-11-16 18:15:46,many,44          | ContextTokens 'many': expected a whole number from 1
            2023-11-16 18:15:46,374,0            | GeneratedTokens '0': expected a whole number from 1
            2023-11-16 18:15:44,374,44           | earlier than the line before
            """)
    void aDamagedLineIsNamed(String line, String message) throws IOException {
        Path file = file(Trace.HEADER + "\n2023-11-16 18:15:45,1,1\n" + line + "\n");

        assertThatThrownBy(() -> Trace.read(file))
                .isInstanceOf(MeasurementFailed.class)
                .hasMessageStartingWith(file + ": line 3: ")
                .hasMessageContaining(message);
    }

    @Test
    void aFileThatIsNoTraceIsNamed() throws IOException {
        assertThatThrownBy(() -> Trace.read(file("a,b\n1,2\n")))
                .hasMessageContaining("line 1: expected " + Trace.HEADER);
        assertThatThrownBy(() -> Trace.read(file(Trace.HEADER + "\n2023-11-16 18:15:45,1,1\n")))
                .hasMessageContaining("at least two requests");
    }

    @Test
    void theSyntheticTraceHasTheStatedMeans() {
        Trace trace = Trace.synthetic(1);

        assertThat(1 / trace.rate()).isCloseTo(0.18, within(0.01));
        int[] replies = trace.arrivals().stream()
                .mapToInt(Trace.Arrival::replyTokens)
                .sorted()
                .toArray();
        assertThat(replies[10_000]).isBetween(120, 140);
        assertThat(Trace.synthetic(1)).isEqualTo(trace);
    }
}
