package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.meridian.protocol.message.ReplicaCommand.Submit;
import java.io.IOException;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;

/** What each parameter accepts and how the others are refused, over HTTP. */
final class ParameterTableTest {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final ScriptedReplica REPLICA = new ScriptedReplica(ScriptedReplica.saying("ok"));
    private static EdgeFixture edge;

    @BeforeAll
    static void start() {
        edge = new EdgeFixture("meridian.edge { max-body-bytes = 4000, max-messages = 3 }");
        edge.serve("atlas", REPLICA);
    }

    @AfterAll
    static void stop() {
        edge.close();
    }

    private static String chat(String parameters) {
        return "{\"model\":\"atlas\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
                + (parameters.isEmpty() ? "" : "," + parameters) + "}";
    }

    private static String text(String parameters) {
        return "{\"model\":\"atlas\",\"prompt\":\"hi\"" + (parameters.isEmpty() ? "" : "," + parameters) + "}";
    }

    private static JsonNode error(HttpResponse<String> response) {
        try {
            return MAPPER.readTree(response.body()).get("error");
        } catch (IOException e) {
            throw new AssertionError(response.body(), e);
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvFileSource(resources = "/refused-parameters.txt", delimiter = '|', quoteCharacter = '~')
    void aBadParameterIsRefusedByName(
            String dialect, String parameters, String code, String param, String messagePart) {
        boolean whole = parameters.startsWith("{");
        HttpResponse<String> response = dialect.equals("chat")
                ? edge.post(EdgeFixture.CHAT, whole ? parameters : chat(parameters))
                : edge.post(EdgeFixture.TEXT, whole ? parameters : text(parameters));
        JsonNode error = error(response);
        assertThat(error.get("code").asText()).as(response.body()).isEqualTo(code);
        assertThat(error.get("param").asText()).isEqualTo(param);
        assertThat(error.get("message").asText()).contains(messagePart);
        assertThat(error.get("type").asText()).isEqualTo("invalid_request_error");
        assertThat(response.statusCode()).isEqualTo(400);
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvFileSource(resources = "/accepted-parameters.txt", delimiter = '|', quoteCharacter = '~')
    void aGoodParameterReachesTheReplica(String dialect, String parameters, String expectedPart) {
        boolean whole = parameters.startsWith("{");
        REPLICA.drain();
        HttpResponse<String> response = dialect.equals("chat")
                ? edge.post(EdgeFixture.CHAT, whole ? parameters : chat(parameters))
                : edge.post(EdgeFixture.TEXT, whole ? parameters : text(parameters));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        Submit submit = REPLICA.expect(Submit.class);
        // A generation does not write its stop texts.
        assertThat(submit.generation() + " stop=" + submit.generation().stop() + " " + submit.prompt())
                .contains(expectedPart);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{                                   | not valid JSON",
                "{\"model\":\"a\"} x                 | not valid JSON",
                "{\"model\":\"a\",\"model\":\"b\"}   | names a field twice",
                "[1]                                 | must be a JSON object",
                "{\"seed\":1111111111111111111111111111111111111111111111111111111"
                        + "111111111111111111111111111111111111111111111111111111111111} | number of more than 100",
                "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]} | deeper than 32",
            })
    void whatIsNoStrictJsonIsRefused(String body, String messagePart) {
        HttpResponse<String> response = edge.post(EdgeFixture.CHAT, body);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).get("code").asText()).isEqualTo("invalid_json");
        assertThat(error(response).get("message").asText()).contains(messagePart);
    }

    @Test
    void invalidUtf8IsRefused() {
        byte[] body = chat("\"user\":\"_\"").getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        body[body.length - 3] = (byte) 0xC0;
        HttpResponse<String> response = edge.send(java.net.http.HttpRequest.newBuilder(edge.uri(EdgeFixture.CHAT))
                .header("Content-Type", "application/json")
                .POST(java.net.http.HttpRequest.BodyPublishers.ofByteArray(body))
                .build());
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).get("message").asText()).contains("not valid UTF-8");
    }

    @Test
    void aSeedIsDrawnWhenNoneIsGiven() {
        REPLICA.drain();
        edge.post(EdgeFixture.CHAT, chat(""));
        edge.post(EdgeFixture.CHAT, chat("\"seed\":null"));
        long first = REPLICA.expect(Submit.class).generation().sampling().seed();
        long second = REPLICA.expect(Submit.class).generation().sampling().seed();
        assertThat(first).isNotEqualTo(second);
    }

    @Test
    void severalTextPartsAreOneMessage() {
        REPLICA.drain();
        edge.post(EdgeFixture.CHAT, """
                {"model":"atlas","messages":[
                  {"role":"developer","content":"be brief","name":"x"},
                  {"role":"user","content":[{"type":"text","text":"a\\n"},{"type":"text","text":"b"}]}]}
                """);
        var prompt =
                (dev.meridian.protocol.Prompt.Chat) REPLICA.expect(Submit.class).prompt();
        assertThat(prompt.messages())
                .containsExactly(
                        new dev.meridian.protocol.ChatMessage(dev.meridian.protocol.Role.DEVELOPER, "be brief"),
                        new dev.meridian.protocol.ChatMessage(dev.meridian.protocol.Role.USER, "a\nb"));
    }
}
