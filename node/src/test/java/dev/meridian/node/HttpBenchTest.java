package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** The whole of {@code bench http} with a server as a process of its own; counts alone, no times. */
@Timeout(300)
final class HttpBenchTest {
    @Test
    void everyTokenOfEveryStreamComesOnceAndUnchanged() throws Exception {
        StringWriter out = new StringWriter();
        CommandLine commandLine = Main.commandLine().setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(out, true));

        int exit = commandLine.execute(
                "bench",
                "http",
                "--streams",
                "8",
                "--rounds",
                "1",
                "--warm-ups",
                "0",
                "--seconds",
                "2",
                "--spread",
                "1",
                "--json");

        assertThat(exit).as(out.toString()).isZero();
        JsonNode report = new JsonMapper().readTree(out.toString());
        assertThat(report.path("median").path("tokens").asLong()).isEqualTo(8 * 2 * 50);
        assertThat(report.path("median").path("lost").asLong()).isZero();
        assertThat(report.path("whole").asBoolean()).isTrue();
    }
}
