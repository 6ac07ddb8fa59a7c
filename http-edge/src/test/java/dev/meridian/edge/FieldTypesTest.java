package dev.meridian.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** Every field of both requests gets values of every JSON type: each is taken, or refused by the field's own name. */
final class FieldTypesTest {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "false",
            "1",
            "1.5",
            "\"x\"",
            "\"\"",
            "[]",
            "[null]",
            "[\"x\"]",
            "[7]",
            "[true]",
            "[[7]]",
            "[[\"x\"]]",
            "{}",
            "{\"a\":1}",
            "{\"a\":{\"b\":[1]}}",
            "[{\"a\":[{}]}]");
    private static final Pattern STEP = Pattern.compile("([a-z_]+)|\\[(\\d+)]");
    private static EdgeFixture edge;

    @BeforeAll
    static void start() {
        edge = new EdgeFixture("");
        edge.serve("atlas", new ScriptedReplica(ScriptedReplica.saying("ok")));
    }

    @AfterAll
    static void stop() {
        edge.close();
    }

    private static String request(String dialect, String field, @Nullable String others, String value) {
        try {
            String rest = others == null ? "" : "," + others;
            ObjectNode body = (ObjectNode) MAPPER.readTree(
                    dialect.equals("chat")
                            ? "{\"model\":\"atlas\",\"messages\":[{\"role\":\"assistant\",\"content\":"
                                    + (field.contains("content[") ? "[{\"type\":\"text\",\"text\":\"hi\"}]" : "\"hi\"")
                                    + "}]" + rest + "}"
                            : "{\"model\":\"atlas\",\"prompt\":" + (field.contains("[") ? "[\"hi\"]" : "\"hi\"") + rest
                                    + "}");
            put(body, field, MAPPER.readTree(value));
            return body.toString();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Puts a value where a path as in an error's {@code param} leads. */
    private static void put(ObjectNode body, String field, JsonNode value) {
        List<String> steps = new ArrayList<>();
        Matcher matcher = STEP.matcher(field);
        while (matcher.find()) {
            steps.add(matcher.group());
        }
        JsonNode at = body;
        for (String step : steps.subList(0, steps.size() - 1)) {
            JsonNode next = step.startsWith("[") ? at.get(index(step)) : at.get(step);
            at = next == null ? ((ObjectNode) at).putObject(step) : next;
        }
        String last = steps.getLast();
        if (last.startsWith("[")) {
            ((ArrayNode) at).set(index(last), value);
        } else {
            ((ObjectNode) at).set(last, value);
        }
    }

    private static int index(String step) {
        return Integer.parseInt(step.substring(1, step.length() - 1));
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvFileSource(resources = "/types-of-fields.txt", delimiter = '|', quoteCharacter = '~')
    void aValueOfTheWrongTypeIsRefusedByTheFieldsName(
            String dialect, String field, @Nullable String others, @Nullable String accepted) throws IOException {
        List<String> good = accepted == null ? List.of() : Arrays.asList(accepted.split(" ", -1));
        for (String value : VALUES) {
            String body = request(dialect, field, others, value);
            HttpResponse<String> response =
                    edge.post(dialect.equals("chat") ? EdgeFixture.CHAT : EdgeFixture.TEXT, body);
            if (good.contains(value) || good.equals(List.of("*"))) {
                assertThat(response.statusCode())
                        .as("%s: %s", body, response.body())
                        .isEqualTo(200);
                continue;
            }
            assertThat(response.statusCode())
                    .as("%s: %s", body, response.body())
                    .isEqualTo(400);
            JsonNode error = MAPPER.readTree(response.body()).get("error");
            String param = error.get("param").asText();
            assertThat(param.equals(field) || param.startsWith(field + ".") || param.startsWith(field + "["))
                    .as("%s names %s", body, param)
                    .isTrue();
            assertThat(error.get("code").asText())
                    .as(body)
                    .isIn(
                            "invalid_type",
                            "invalid_value",
                            "out_of_range",
                            "missing_required_parameter",
                            "unsupported_parameter",
                            "unknown_parameter");
            String message = error.get("message").asText();
            assertThat(names(field)).as("%s: %s", body, message).anyMatch(message.toLowerCase(Locale.ROOT)::contains);
        }
    }

    /** Of a path, without indexes. */
    private static List<String> names(String field) {
        return Arrays.stream(field.split("\\.|\\[\\d+]\\.?", -1))
                .filter(name -> !name.isEmpty())
                .toList();
    }

    @Test
    void aModelThatIsNoStringIsRefusedByName() throws IOException {
        for (String value : VALUES) {
            HttpResponse<String> response = edge.post(EdgeFixture.CHAT, request("chat", "model", null, value));
            assertThat(response.statusCode()).as(value).isEqualTo(value.startsWith("\"") ? 404 : 400);
            assertThat(MAPPER.readTree(response.body()).at("/error/param").asText())
                    .as(value)
                    .isEqualTo("model");
        }
    }

    /** OpenAI's own list of fields, where its OpenAPI description is at hand: none is unknown here, and each is above. */
    @Test
    void everyFieldOfOpenAisDescriptionIsKnown() throws IOException {
        Path description =
                Path.of(System.getProperty("meridian.assets", "none"), "spec", "openai-openapi", "openapi.yaml");
        assumeTrue(Files.exists(description), "no OpenAPI description of OpenAI");
        List<String> lines = Files.readAllLines(description);
        Set<String> chat = properties(lines, "CreateChatCompletionRequest");
        chat.addAll(properties(lines, "CreateModelResponseProperties"));
        chat.addAll(properties(lines, "ModelResponseProperties"));
        Set<String> text = properties(lines, "CreateCompletionRequest");
        assertThat(chat).contains("messages", "temperature", "user", "service_tier", "logit_bias");
        assertThat(text).contains("prompt", "suffix", "user");

        chat.remove("model");
        text.remove("model");
        assertThat(fieldsOfTheTable("chat")).containsAll(chat);
        assertThat(fieldsOfTheTable("text")).containsAll(text);
    }

    private static Set<String> fieldsOfTheTable(String dialect) throws IOException {
        InputStream table = FieldTypesTest.class.getResourceAsStream("/types-of-fields.txt");
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(java.util.Objects.requireNonNull(table), StandardCharsets.UTF_8))) {
            return lines.lines()
                    .map(line -> line.split("\\|", -1))
                    .filter(columns -> columns[0].equals(dialect))
                    .map(columns -> columns[1])
                    .collect(Collectors.toSet());
        }
    }

    /** The names of a schema's own properties: those of the least indented list of them. */
    private static Set<String> properties(List<String> lines, String schema) {
        int start = lines.indexOf("    " + schema + ":");
        assertThat(start).as(schema).isNotNegative();
        Set<String> names = new HashSet<>();
        int indent = -1;
        for (String line : lines.subList(start + 1, lines.size())) {
            if (line.matches(" {0,4}\\S.*")) {
                break;
            }
            if (indent < 0 && line.strip().equals("properties:")) {
                indent = line.indexOf('p') + 2;
            } else if (indent >= 0 && line.matches(" {" + indent + "}[a-z_]+:.*")) {
                names.add(line.strip().replaceAll(":.*", ""));
            }
        }
        return names;
    }
}
