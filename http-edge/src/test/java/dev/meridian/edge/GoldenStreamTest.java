package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bytes on the wire, whole: see {@code golden/*.txt}. What differs from run to run is masked. */
final class GoldenStreamTest {
    private static EdgeFixture edge;

    @BeforeAll
    static void start() {
        edge = new EdgeFixture("");
        edge.serve("atlas", new ScriptedReplica(ScriptedReplica.saying("Hel", "lo \"", "", "é😀")));
    }

    @AfterAll
    static void stop() {
        edge.close();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "chat-stream       | chat | \"stream\":true",
                "chat-stream-usage | chat | \"stream\":true,\"stream_options\":{\"include_usage\":true},\"n\":2",
                "chat-stream-probs | chat | \"stream\":true,\"logprobs\":true,\"top_logprobs\":2",
                "chat-whole        | chat | \"n\":2",
                "chat-whole-probs  | chat | \"logprobs\":true,\"top_logprobs\":1",
                "text-stream       | text | \"stream\":true",
                "text-stream-usage | text | \"stream\":true,\"stream_options\":{\"include_usage\":true}",
                "text-stream-probs | text | \"stream\":true,\"logprobs\":2",
                "text-whole        | text | \"n\":2",
                "text-whole-probs  | text | \"logprobs\":0",
            })
    void bytesOnTheWireAreTheGoldenOnes(String golden, String dialect, String parameters) {
        boolean chat = dialect.equals("chat");
        String input = chat ? "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]" : "\"prompt\":\"hi\"";
        HttpResponse<String> response = edge.post(
                chat ? EdgeFixture.CHAT : EdgeFixture.TEXT, "{\"model\":\"atlas\"," + input + "," + parameters + "}");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type"))
                .hasValue(parameters.contains("\"stream\":true") ? "text/event-stream" : "application/json");
        assertThat(masked(response)).isEqualTo(resource(golden));
    }

    /** Ids, and the times of the edge's own clock, are other ones in each run. */
    private static String masked(HttpResponse<String> response) {
        String timing = response.headers()
                .firstValue("server-timing")
                .map(value -> "Server-Timing: " + value + "\n\n")
                .orElse("");
        return (timing + response.body())
                .replaceAll("cmpl-[0-9A-Za-z]{24}", "cmpl-ID")
                .replaceAll("(first_token|decode|total)(_ms\":|;dur=)\\d+\\.\\d{3}", "$1$2TIME");
    }

    private static String resource(String golden) {
        try (InputStream in = GoldenStreamTest.class.getResourceAsStream("/golden/" + golden + ".txt")) {
            return new String(Objects.requireNonNull(in, golden).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
